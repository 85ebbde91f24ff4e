//! `tenant export | import | delete`: what becomes of whole tenants.

use std::{path::Path, process::ExitCode, time::Duration};

use super::{Failure, progress::Bar};
use crate::bootstrap::{ArchiveProgress, ArchiveStep, Archived, Config, DeletionStep, Tools};

/// How long an import waits for the read models; they go on by themselves in a server.
const FOLDED: Duration = Duration::from_secs(3_600);

/// One bar for events, then one for files.
struct Bars {
    events: Bar,
    files: Bar,
}

impl Bars {
    fn new(what: &'static str) -> Self {
        Self { events: Bar::counting(what, "events"), files: Bar::counting(what, "files") }
    }

    fn set(&self, progress: ArchiveProgress) {
        match progress.step {
            ArchiveStep::Events => self.events.set(progress.done, progress.total),
            ArchiveStep::Media => {
                self.events.finish();
                self.files.set(progress.done, progress.total);
            }
        }
    }

    fn finish(&self) {
        self.events.finish();
        self.files.finish();
    }
}

fn print(what: &str, archived: &Archived) {
    let counts = &archived.counts;
    println!("{what} {}", archived.slug);
    println!("  tenant id  {}", archived.tenant);
    println!("  events     {:>10}", counts.events);
    println!("  files      {:>10}", counts.media);
    println!("  secrets    {:>10}", counts.secrets);
    println!("  head hash  {}", archived.head_hash);
}

/// Writes a tenant into a file.
pub async fn export(config: Config, slug: &str, output: &Path, with_secrets: bool) -> Result<ExitCode, Failure> {
    let tools = Tools::open_to_look(config).await?;
    let bars = Bars::new("export");
    let exported = tools.export(slug, with_secrets, output, |progress| bars.set(progress)).await;
    bars.finish();
    tools.close().await;
    print("exported", &exported?);
    println!("{} holds what customers wrote: keep it as you keep the database", output.display());
    if !with_secrets {
        println!(
            "Passwords, tokens, webhooks' addresses and the access token are not in it; --with-secrets puts them in."
        );
    }
    Ok(ExitCode::SUCCESS)
}

/// Brings a tenant in from a file.
pub async fn import(config: Config, file: &Path) -> Result<ExitCode, Failure> {
    let tools = Tools::open(config).await?;
    let bars = Bars::new("import");
    let imported = tools.import(file, |progress| bars.set(progress)).await;
    bars.finish();
    let imported = match imported {
        Ok(imported) => imported,
        Err(error) => {
            tools.close().await;
            return Err(error.into());
        }
    };
    print("imported", &imported);
    let folded = tools.wait_until_folded(imported.tenant, FOLDED).await;
    tools.close().await;
    if folded? {
        println!("its lists are complete");
    } else {
        println!("its lists are not complete yet; the server goes on with them");
    }
    if imported.counts.secrets == 0 {
        println!("Its users need new passwords (chatledger user set-password), its number and webhooks new secrets.");
    }
    Ok(ExitCode::SUCCESS)
}

/// Deletes a tenant.
pub async fn delete(config: Config, slug: &str, confirm: &str) -> Result<ExitCode, Failure> {
    if slug != confirm {
        return Err(format!("--confirm says {confirm:?}, and {slug:?} is to be deleted").into());
    }
    let tools = Tools::open_to_look(config).await?;
    let (rows, files) = (Bar::counting("delete", "tables"), Bar::counting("delete", "files"));
    let deleted = tools
        .delete_tenant(slug, |step| match step {
            DeletionStep::LettingGo => eprintln!("the tenant is out of service; servers let go of it"),
            DeletionStep::Rows(done, of) => rows.set(to_number(done), to_number(of)),
            DeletionStep::Files(done) => files.set(i64::try_from(done).unwrap_or(i64::MAX), 0),
            DeletionStep::Again => eprintln!("looking for what was written meanwhile"),
        })
        .await;
    rows.finish();
    files.finish();
    tools.close().await;
    let deleted = deleted?;
    println!("{slug} is deleted: {} events, {} other rows, {} files", deleted.events, deleted.rows, deleted.files);
    println!("On disk: dead rows until VACUUM, the write-ahead log, backups.");
    Ok(ExitCode::SUCCESS)
}

fn to_number(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
