//! The store in a folder: whole or not at all, by tenant, in parts.

use futures_util::TryStreamExt;
use uuid::Uuid;

use super::*;

fn open(dir: &tempfile::TempDir) -> ObjectMedia {
    ObjectMedia::open(Place::Folder(dir.path().join("media")), 10).unwrap()
}

async fn read(store: &ObjectMedia, tenant: TenantId, blob: BlobId, part: Option<Range<u64>>) -> Option<Vec<u8>> {
    let chunks = store.get(tenant, blob, part).await.unwrap()?;
    let chunks: Vec<Bytes> = chunks.try_collect().await.unwrap();
    Some(chunks.concat())
}

#[tokio::test]
async fn a_blob_is_there_whole_and_only_for_its_tenant() {
    let dir = tempfile::tempdir().unwrap();
    let (store, blob) = (open(&dir), BlobId(Uuid::from_u128(1)));
    let (ours, theirs) = (TenantId::of_slug("a"), TenantId::of_slug("b"));
    // Longer than a part, so that it is written in several.
    let bytes: Vec<u8> = (0..PART + 1000).map(|n| (n % 251) as u8).collect();
    let mut writer = store.begin(ours, blob).await.unwrap();
    for chunk in bytes.chunks(100_000) {
        writer.write(Bytes::copy_from_slice(chunk)).await.unwrap();
    }
    assert_eq!(read(&store, ours, blob, None).await, None);
    let written = writer.finish().await.unwrap();
    let sha256 = hex::encode(Sha256::digest(&bytes));
    assert_eq!(written, Written { size: bytes.len() as u64, sha256 });
    assert_eq!(read(&store, theirs, blob, None).await, None);
    assert_eq!(read(&store, ours, blob, Some(5..9)).await.unwrap(), bytes[5..9]);
    assert!(read(&open(&dir), ours, blob, None).await.unwrap() == bytes);
    store.delete(ours, blob).await.unwrap();
    store.delete(ours, blob).await.unwrap();
    assert_eq!(read(&store, ours, blob, None).await, None);
}

#[tokio::test]
async fn a_blob_that_is_given_up_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (store, tenant, blob) = (open(&dir), TenantId::of_slug("a"), BlobId(Uuid::from_u128(1)));
    let mut writer = store.begin(tenant, blob).await.unwrap();
    writer.write(vec![0; 2 * PART].into()).await.unwrap();
    writer.abort().await;
    let folder = dir.path().join("media").join(tenant.to_string());
    assert_eq!(std::fs::read_dir(folder).map(|left| left.count()).unwrap_or_default(), 0);
}
