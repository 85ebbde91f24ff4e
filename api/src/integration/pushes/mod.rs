//! Pushes in the words of the Integration API: the bodies of webhooks, of the rule engine's calls and of the websocket's
//! frames (contract, webhooks §2).
//!
//! A page of orders is made in two steps: what all of them need is looked up at once (`wanted.rs`), then each order is
//! written from it (`render.rs`), message by message, so that a body that grows too large can be split (`body.rs`).

mod body;
mod render;
mod status;
#[cfg(test)]
mod tests;
mod wanted;

use std::{collections::BTreeSet, sync::Arc};

use async_trait::async_trait;
use chatledger_application::ports::{
    Unavailable,
    bodies::{Bodies, Body, BodyOrder},
    clock::Clock,
    directory::{Directory, TenantEntry},
};
use chatledger_domain::TenantId;
use chatledger_projections::Inbox;

use self::render::Rendering;
use super::wire::Links;
use crate::media_link::MediaLinks;

/// Makes the bodies of the Integration API.
pub struct IntegrationBodies {
    /// The read models.
    pub inbox: Inbox,
    /// The tenants.
    pub directory: Arc<dyn Directory>,
    /// Signs media links.
    pub media_links: MediaLinks,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where this deployment is reached, without a final slash.
    pub base_url: String,
}

#[async_trait]
impl Bodies for IntegrationBodies {
    async fn pieces(&self, orders: &[BodyOrder<'_>], at_most: usize) -> Result<Vec<Vec<Body>>, Unavailable> {
        let tenants = orders.iter().filter_map(tenant_of).collect::<BTreeSet<_>>();
        let mut made = vec![Vec::new(); orders.len()];
        for tenant in tenants {
            let places: Vec<usize> = (0..orders.len()).filter(|n| tenant_of(&orders[*n]) == Some(tenant)).collect();
            let wanted = wanted::of(places.iter().map(|place| &orders[*place]));
            let told = self.inbox.told(tenant, wanted).await?;
            let entry = self.directory.by_id(tenant).await?;
            let base_url = base_url(&self.base_url, entry.as_ref());
            let links = Links::at(base_url, &self.media_links, tenant, self.clock.now().timestamp());
            let rendering = Rendering::new(&told, &links, entry.and_then(|entry| entry.number));
            for place in places {
                made[place] = rendering.bodies(&orders[place], at_most);
            }
        }
        Ok(made)
    }
}

fn tenant_of(order: &BodyOrder<'_>) -> Option<TenantId> {
    order.pushes.first().map(|push| push.tenant)
}

/// The tenant's own host with the deployment's scheme and port, where it has one: no request says where it was asked.
fn base_url(deployment: &str, tenant: Option<&TenantEntry>) -> String {
    let host = tenant.and_then(|tenant| tenant.hosts.first());
    match (host, url::Url::parse(deployment)) {
        (Some(host), Ok(url)) => {
            let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
            format!("{}://{host}{port}", url.scheme())
        }
        _ => deployment.to_owned(),
    }
}
