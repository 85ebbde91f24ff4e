//! `/api/v1/whatsapp/analytics/…`: how many messages came and went, and how conversations were served (R-ANA-*).

use actix_web::HttpResponse;
use chatledger_projections::views::{ConversationMeasures, MessageCount, Step};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    Limit, ServiceCaller, State,
    envelope::{self, Answer},
    error::ServiceError,
    query::ServiceQuery,
    times::{day, in_words, iso, span},
};
use crate::routes::{Endpoint, to};

/// The endpoints of this resource.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint::new("GET", "/api/v1/whatsapp/analytics/messages", "service_message_analytics", || to(messages)),
    Endpoint::new("GET", "/api/v1/whatsapp/analytics/conversations", "service_conversation_analytics", || {
        to(conversations)
    }),
];

/// What a row may stand for.
const STEPS: &[(&str, Step)] = &[("hour", Step::Hour), ("day", Step::Day), ("week", Step::Week)];

/// The messages of an hour, a day or a week.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceMessageMetric)]
struct Metric {
    /// The day, the Monday of the week, or the first second of the hour.
    date: String,
    /// From customers.
    inbound_count: i64,
    /// To customers; failed ones are left out.
    outbound_count: i64,
    /// Both.
    total_count: i64,
}

impl Metric {
    fn new(count: &MessageCount, step: Step) -> Self {
        let MessageCount { begins_at, incoming, outgoing } = *count;
        let date = if step == Step::Hour { iso(begins_at) } else { day(begins_at) };
        Self { date, inbound_count: incoming, outbound_count: outgoing, total_count: incoming + outgoing }
    }
}

/// All messages of the time.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceMessageSummary)]
struct Summary {
    /// From customers.
    total_inbound: i64,
    /// To customers.
    total_outbound: i64,
    /// Both, by the days of the time.
    average_per_day: i64,
}

impl Summary {
    fn new(counts: &[MessageCount], days: i64) -> Self {
        let total_inbound = counts.iter().map(|count| count.incoming).sum::<i64>();
        let total_outbound = counts.iter().map(|count| count.outgoing).sum::<i64>();
        // Rounded half up.
        let average_per_day = (2 * (total_inbound + total_outbound) + days).div_euclid(2 * days);
        Self { total_inbound, total_outbound, average_per_day }
    }
}

/// How many messages came and went.
#[derive(Serialize, ToSchema)]
#[schema(as = ServiceMessageAnalytics)]
struct Messages {
    /// One for each part of the time, in order.
    metrics: Vec<Metric>,
    /// All of them.
    summary: Summary,
}

/// How conversations were served. Times are told by their largest two parts, rates are 0 to 1.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ServiceConversationAnalytics)]
struct Conversations {
    /// From a customer's message to the first answer: the mean.
    average_response_time: String,
    /// From the beginning of a conversation to its close: the mean.
    average_resolution_time: String,
    /// Of the conversations that ended, those that only flows answered.
    automation_resolution_rate: f64,
    /// Of the conversations that ended, those that only AI answered.
    ai_resolution_rate: f64,
    /// Of the conversations that ended, those that were handed over to people.
    human_handoff_rate: f64,
}

impl From<ConversationMeasures> for Conversations {
    fn from(of: ConversationMeasures) -> Self {
        Self {
            average_response_time: in_words(of.response_seconds),
            average_resolution_time: in_words(of.resolution_seconds),
            automation_resolution_rate: rate(of.by_flows, of.ended),
            ai_resolution_rate: rate(of.by_ai, of.ended),
            human_handoff_rate: rate(of.handed_off, of.ended),
        }
    }
}

/// A part of all, to two decimals; 0 of none.
fn rate(part: i64, all: i64) -> f64 {
    if all == 0 { 0.0 } else { (100.0 * part as f64 / all as f64).round() / 100.0 }
}

/// How many messages came and went, hour by hour, day by day or week by week, also where there were none.
#[utoipa::path(get, path = "/api/v1/whatsapp/analytics/messages", operation_id = "service_message_analytics",
    tag = "Analytics", params(("shopId" = String, Query, description = "The shop."),
        ("startDate" = Option<String>, Query, description = "From this ISO 8601 time on, or from the beginning of a day of UTC. Seven days before the end by default."),
        ("endDate" = Option<String>, Query, description = "Up to this ISO 8601 time and without it, or to the end of a day of UTC. The end of today by default."),
        ("groupBy" = Option<String>, Query, description = "`hour`, `day` or `week`, of UTC; `day` by default.")),
    responses((status = 200, description = "The figures.", body = Answer<Messages>, example = json!({"success": true,
        "data": {"metrics": [{"date": "2026-01-18", "inboundCount": 245, "outboundCount": 298, "totalCount": 543}],
        "summary": {"totalInbound": 2450, "totalOutbound": 2980, "averagePerDay": 543}}, "error": null,
        "pagination": null}))))]
pub async fn messages(caller: ServiceCaller, state: State, query: ServiceQuery) -> Result<HttpResponse, ServiceError> {
    let shop = caller.shop_of(&query, Limit::Analytics).await?;
    let span = span(query.get("startDate"), query.get("endDate"), state.clock.now())?;
    let step = query.choice("groupBy", STEPS)?.unwrap_or(Step::Day);
    let counts = state.inbox.message_counts(shop.tenant, span, step).await?;
    let metrics = counts.iter().map(|count| Metric::new(count, step)).collect();
    Ok(envelope::ok(Messages { metrics, summary: Summary::new(&counts, span.days()) }))
}

/// How fast customers were answered, and how conversations ended.
#[utoipa::path(get, path = "/api/v1/whatsapp/analytics/conversations", operation_id = "service_conversation_analytics",
    tag = "Analytics", params(("shopId" = String, Query, description = "The shop."),
        ("startDate" = Option<String>, Query, description = "From this ISO 8601 time on, or from the beginning of a day of UTC. Seven days before the end by default."),
        ("endDate" = Option<String>, Query, description = "Up to this ISO 8601 time and without it, or to the end of a day of UTC. The end of today by default.")),
    responses((status = 200, description = "The figures.", body = Answer<Conversations>, example = json!({"success": true,
        "data": {"averageResponseTime": "2m 30s", "averageResolutionTime": "15m 45s",
        "automationResolutionRate": 0.65, "aiResolutionRate": 0.78, "humanHandoffRate": 0.22}, "error": null,
        "pagination": null}))))]
pub async fn conversations(
    caller: ServiceCaller,
    state: State,
    query: ServiceQuery,
) -> Result<HttpResponse, ServiceError> {
    let shop = caller.shop_of(&query, Limit::Analytics).await?;
    let now = state.clock.now();
    let span = span(query.get("startDate"), query.get("endDate"), now)?;
    let measures = state.inbox.conversation_measures(shop.tenant, span, now.timestamp()).await?;
    Ok(envelope::ok(Conversations::from(measures)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_ana_3_the_average_is_rounded() {
        let count = |incoming, outgoing| MessageCount { begins_at: 0, incoming, outgoing };
        for (messages, days, average) in [(5_430, 10, 543), (5, 2, 3), (4, 3, 1), (0, 7, 0), (1, 7, 0)] {
            assert_eq!(Summary::new(&[count(messages, 0)], days).average_per_day, average, "{messages} in {days} days");
        }
        let summary = Summary::new(&[count(2, 3), count(1, 0)], 1);
        assert_eq!((summary.total_inbound, summary.total_outbound, summary.average_per_day), (3, 3, 6));
    }

    #[test]
    fn r_ana_5_rates_have_two_decimals() {
        assert_eq!((rate(2, 3), rate(0, 0), rate(1, 8), rate(4, 4)), (0.67, 0.0, 0.13, 1.0));
    }
}
