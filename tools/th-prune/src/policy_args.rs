//! The flags that say what to keep, named as restic names them.

use crate::limit::{Limit, StaleAfter, Zone};
use crate::rule::Count;
use crate::within::{Age, Within};

/// What to keep. A set stays if any rule keeps it.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Policy")]
pub(crate) struct PolicyArgs {
    /// Keep the last N sets
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) keep_last: Option<Count>,
    /// Keep a set for each of the last N hours that have one
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) keep_hourly: Option<Count>,
    /// Keep a set for each of the last N days that have one
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) keep_daily: Option<Count>,
    /// Keep a set for each of the last N ISO weeks that have one
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) keep_weekly: Option<Count>,
    /// Keep a set for each of the last N months that have one
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) keep_monthly: Option<Count>,
    /// Keep a set for each of the last N years that have one
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub(crate) keep_yearly: Option<Count>,
    /// Keep every set of this time before the newest complete one, such as 1y2m3d4h,
    /// where m are months
    #[arg(long, value_name = "TIME")]
    pub(crate) keep_within: Option<Within>,
    /// Keep a set for each hour of this time before the newest complete one
    #[arg(long, value_name = "TIME")]
    pub(crate) keep_within_hourly: Option<Within>,
    /// Keep a set for each day of this time before the newest complete one
    #[arg(long, value_name = "TIME")]
    pub(crate) keep_within_daily: Option<Within>,
    /// Keep a set for each ISO week of this time before the newest complete one
    #[arg(long, value_name = "TIME")]
    pub(crate) keep_within_weekly: Option<Within>,
    /// Keep a set for each month of this time before the newest complete one
    #[arg(long, value_name = "TIME")]
    pub(crate) keep_within_monthly: Option<Within>,
    /// Keep a set for each year of this time before the newest complete one
    #[arg(long, value_name = "TIME")]
    pub(crate) keep_within_yearly: Option<Within>,
    /// Keep sets that have all of these tags; can be given again
    #[arg(long, value_name = "TAG[,TAG]")]
    pub(crate) keep_tag: Vec<String>,
    /// Begin days, weeks, months and years in this zone [default: UTC]
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<Zone>,
    /// Keep so many sets, whatever the rules say [default: 3]
    #[arg(long, value_name = "N", help_heading = "Floors")]
    pub(crate) min_keep: Option<Count>,
    /// Keep what is younger than this, such as 90min or 7d, whatever the rules say [default: 24h]
    #[arg(long, value_name = "DURATION", help_heading = "Floors")]
    pub(crate) min_age: Option<Age>,
    /// Delete nothing if more than so many would go at once; 0 or 100% for no limit [default: 30%]
    #[arg(long, value_name = "N|P%", help_heading = "Floors")]
    pub(crate) max_delete: Option<Limit>,
    /// Delete nothing if the newest complete set is older than this; 0 for any age [default: three
    /// times the usual gap between sets, a day or more]
    #[arg(long, value_name = "DURATION", help_heading = "Floors")]
    pub(crate) stale_after: Option<StaleAfter>,
    /// How long what was deleted stays in the trash, and packs that no set needs after it [default:
    /// 48h]
    #[arg(long, value_name = "DURATION", help_heading = "Floors")]
    pub(crate) grace: Option<Age>,
}
