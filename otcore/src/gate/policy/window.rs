//! When anything may be sent at all.

use std::fmt;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde::ser::SerializeStruct;
use serde::{Serialize, Serializer};

use super::{Policy, PolicyError};

/// The days of a week as policies write them.
pub(super) const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// A time of day, on some days of the week, at which something may be sent.
///
/// It opens at `from` on each of its days and closes at the next `to`, which may be on the next
/// day; if both are the same, it is open for a whole day. Where the clock is changed and a time
/// exists twice or not at all, it opens at the later reading and closes at the earlier one.
///
/// ```
/// use jiff::civil::Weekday;
/// use otcore::gate::policy::{Policy, Window};
///
/// let nights = Window::daily("22:00", "05:00", "UTC")?.on([Weekday::Friday]);
/// let policy = Policy::gentle().window(nights);
/// assert!(policy.is_open("2026-05-01T23:00:00Z".parse().unwrap())); // a Friday
/// assert!(policy.is_open("2026-05-02T04:59:59Z".parse().unwrap()));
/// assert!(!policy.is_open("2026-05-02T23:00:00Z".parse().unwrap()));
/// # Ok::<(), otcore::gate::policy::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Window {
    days: Vec<Weekday>,
    from: Time,
    to: Time,
    zone_name: String,
    zone: TimeZone,
}

impl Window {
    /// A window on every day, its times written `22:00` or `22:00:30`, its time zone by its IANA
    /// name.
    ///
    /// # Errors
    /// Names `from`, `to` or `zone` if it cannot be read.
    pub fn daily(from: &str, to: &str, zone: &str) -> Result<Self, PolicyError> {
        let days = DAYS.iter().map(|(_, day)| *day).collect();
        let (from, to) = (clock("from", from)?, clock("to", to)?);
        let zone = time_zone(zone)?;
        let zone_name = zone.iana_name().unwrap_or("UTC").to_owned();
        Ok(Self { days, from, to, zone_name, zone })
    }

    /// The same window, opening only on these days of the week.
    #[must_use]
    pub fn on(mut self, days: impl IntoIterator<Item = Weekday>) -> Self {
        let wanted: Vec<Weekday> = days.into_iter().collect();
        let in_order = DAYS.iter().map(|(_, day)| *day);
        self.days = in_order.filter(|day| wanted.contains(day)).collect();
        self
    }

    pub(super) fn check(&self) -> Result<(), PolicyError> {
        if self.days.is_empty() {
            let why = "names no day, so nothing could ever be sent; leave it out for every day";
            return Err(PolicyError::contradiction("days", "[]", why));
        }
        Ok(())
    }

    /// When it opens and closes again, if it opens on this date and clock changes leave any of it.
    fn span(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        if !self.days.contains(&date.weekday()) {
            return None;
        }
        let last = if self.to > self.from { date } else { date.tomorrow().ok()? };
        let instant = |date: Date, time| self.zone.to_ambiguous_timestamp(date.to_datetime(time));
        let opens = instant(date, self.from).later().ok()?;
        let closes = instant(last, self.to).earlier().ok()?;
        (opens < closes).then_some((opens, closes))
    }

    /// When it is open, from two days before `now` until `days` after it.
    fn spans(&self, now: Timestamp, days: i32) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let today = self.zone.to_datetime(now).date();
        let dates = (-2..=days).filter_map(move |offset| today.checked_add(offset.days()).ok());
        dates.filter_map(|date| self.span(date))
    }
}

/// No window stays shut or open longer than a week, a clock change at most swallows one more.
const HORIZON_DAYS: i32 = 22;

impl Policy {
    /// Whether anything may be sent at this time. Without windows it always may.
    #[must_use]
    pub fn is_open(&self, now: Timestamp) -> bool {
        let mut spans = self.windows.iter().flat_map(|window| window.spans(now, 1));
        self.windows.is_empty() || spans.any(|(opens, closes)| opens <= now && now < closes)
    }

    /// When [`is_open`](Self::is_open) changes next; `None` if it never does.
    #[must_use]
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let all = self.windows.iter().flat_map(|window| window.spans(now, HORIZON_DAYS));
        let mut spans: Vec<(Timestamp, Timestamp)> = all.collect();
        spans.sort_unstable();
        let mut end = None;
        for (opens, closes) in spans.into_iter().filter(|(_, closes)| *closes > now) {
            match end {
                None if opens > now => return Some(opens),
                Some(end) if opens > end => return Some(end),
                _ => end = end.max(Some(closes)),
            }
        }
        let beyond = now.checked_add((24 * (i64::from(HORIZON_DAYS) - 1)).hours()).ok()?;
        end.filter(|end| *end < beyond)
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days =
            if self.days.len() == 7 { "every day".to_owned() } else { names(self).join(", ") };
        write!(f, "{days} {} to {} {}", text(self.from), text(self.to), self.zone_name)
    }
}

impl Serialize for Window {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Window", 4)?;
        fields.serialize_field("days", &names(self))?;
        fields.serialize_field("from", &text(self.from))?;
        fields.serialize_field("to", &text(self.to))?;
        fields.serialize_field("zone", &self.zone_name)?;
        fields.end()
    }
}

fn names(window: &Window) -> Vec<&'static str> {
    let days = DAYS.iter().filter(|(_, day)| window.days.contains(day));
    days.map(|(name, _)| *name).collect()
}

fn text(time: Time) -> String {
    let seconds = if time.second() == 0 { "%H:%M" } else { "%H:%M:%S" };
    time.strftime(seconds).to_string()
}

fn clock(key: &str, text: &str) -> Result<Time, PolicyError> {
    let form = if text.len() == 5 { "%H:%M" } else { "%H:%M:%S" };
    Time::strptime(form, text).map_err(|_| PolicyError::Unreadable {
        key: key.to_owned(),
        value: format!("{text:?}"),
        expected: "a time of day such as \"22:00\"".to_owned(),
    })
}

fn time_zone(name: &str) -> Result<TimeZone, PolicyError> {
    if name.eq_ignore_ascii_case("utc") {
        return Ok(TimeZone::UTC);
    }
    let unknown = || PolicyError::UnknownTimeZone { key: "zone".to_owned(), zone: name.to_owned() };
    let zone = TimeZone::get(name).map_err(|_| unknown())?;
    if zone.iana_name().is_some() { Ok(zone) } else { Err(unknown()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn night(zone: &str) -> Policy {
        Policy::gentle().window(Window::daily("22:00", "05:00", zone).unwrap())
    }

    #[track_caller]
    fn changes(policy: &Policy, from: &str, expected: &[&str]) {
        let mut now = at(from);
        for expected in expected {
            let before = policy.is_open(now);
            now = policy.next_change(now).unwrap();
            assert_eq!(now, at(expected));
            assert_ne!(policy.is_open(now), before, "at {now}");
        }
    }

    #[test]
    fn without_windows_it_is_always_open() {
        let policy = Policy::gentle();
        assert!(policy.is_open(at("2026-01-01T00:00:00Z")));
        assert_eq!(policy.next_change(at("2026-01-01T00:00:00Z")), None);
    }

    #[test]
    fn a_window_may_cross_midnight_and_its_last_second_is_outside() {
        let policy = night("UTC");
        for (time, open) in [
            ("2026-05-04T21:59:59.999999999Z", false),
            ("2026-05-04T22:00:00Z", true),
            ("2026-05-05T00:00:00Z", true),
            ("2026-05-05T04:59:59.999999999Z", true),
            ("2026-05-05T05:00:00Z", false),
        ] {
            assert_eq!(policy.is_open(at(time)), open, "{time}");
        }
    }

    #[test]
    fn berlin_in_spring_has_a_night_of_six_hours() {
        let expected = [
            "2026-03-28T04:00:00Z", // Saturday 05:00, still winter time
            "2026-03-28T21:00:00Z",
            "2026-03-29T03:00:00Z", // Sunday 05:00 summer time
            "2026-03-29T20:00:00Z",
        ];
        changes(&night("Europe/Berlin"), "2026-03-28T00:00:00Z", &expected);
    }

    #[test]
    fn berlin_in_autumn_has_a_night_of_eight_hours() {
        let expected = [
            "2026-10-24T03:00:00Z",
            "2026-10-24T20:00:00Z",
            "2026-10-25T04:00:00Z", // Sunday 05:00 winter time
            "2026-10-25T21:00:00Z",
        ];
        changes(&night("Europe/Berlin"), "2026-10-24T00:00:00Z", &expected);
    }

    #[test]
    fn a_time_that_exists_twice_makes_the_window_shorter_never_longer() {
        let window = Window::daily("02:30", "04:00", "Europe/Berlin").unwrap();
        let opens_late = ["2026-10-25T01:30:00Z", "2026-10-25T03:00:00Z"];
        changes(&Policy::gentle().window(window), "2026-10-24T12:00:00Z", &opens_late);
        let window = Window::daily("01:00", "02:30", "Europe/Berlin").unwrap();
        let closes_early = ["2026-10-24T23:00:00Z", "2026-10-25T00:30:00Z"];
        changes(&Policy::gentle().window(window), "2026-10-24T12:00:00Z", &closes_early);
    }

    #[test]
    fn an_hour_that_does_not_exist_is_no_opening() {
        let window = Window::daily("02:00", "03:00", "Europe/Berlin").unwrap();
        let policy = Policy::gentle().window(window.on([Weekday::Sunday]));
        let next_week = ["2026-04-05T00:00:00Z", "2026-04-05T01:00:00Z"];
        changes(&policy, "2026-03-28T00:00:00Z", &next_week);
    }

    #[test]
    fn a_window_opens_only_on_its_days() {
        let window = Window::daily("22:00", "05:00", "UTC").unwrap().on([Weekday::Friday]);
        let policy = Policy::gentle().window(window);
        assert!(!policy.is_open(at("2026-05-01T04:00:00Z")), "the end of Thursday's night");
        let expected = ["2026-05-01T22:00:00Z", "2026-05-02T05:00:00Z", "2026-05-08T22:00:00Z"];
        changes(&policy, "2026-05-01T04:00:00Z", &expected);
    }

    #[test]
    fn windows_that_touch_count_as_one() {
        let early = Window::daily("20:00", "22:00", "UTC").unwrap();
        let late = Window::daily("21:00", "23:00", "UTC").unwrap();
        let later = Window::daily("23:00", "23:30", "UTC").unwrap();
        let policy = Policy::gentle().window(late).window(early).window(later);
        let expected = ["2026-05-01T20:00:00Z", "2026-05-01T23:30:00Z"];
        changes(&policy, "2026-05-01T12:00:00Z", &expected);
    }

    #[test]
    fn a_window_around_the_clock_never_changes() {
        let policy = Policy::gentle().window(Window::daily("00:00", "00:00", "UTC").unwrap());
        assert!(policy.is_open(at("2026-05-01T00:00:00Z")));
        assert_eq!(policy.next_change(at("2026-05-01T00:00:00Z")), None);
    }

    #[test]
    fn the_ends_of_time_are_no_panic() {
        for now in [Timestamp::MIN, Timestamp::MAX] {
            let policy = night("Europe/Berlin");
            let _ = (policy.is_open(now), policy.next_change(now));
        }
    }

    #[test]
    fn an_unknown_time_zone_and_a_bad_time_are_named() {
        let text = Window::daily("22:00", "05:00", "Europe/Belrin").unwrap_err().to_string();
        assert!(text.starts_with("zone = \"Europe/Belrin\": unknown time zone"), "{text}");
        for bad in ["24:00", "7:00", "22", "", "22:00:61", "22:0a", "äää"] {
            let text = Window::daily(bad, "05:00", "UTC").unwrap_err().to_string();
            assert!(text.starts_with(&format!("from = {bad:?}: expected a time")), "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_next_change_is_a_change_and_none_comes_before_it(
            window in crate::gate::policy::testing::window(),
            second in 1_767_000_000_i64..1_800_000_000,
            part in 0..1_000_i64,
        ) {
            let policy = Policy::gentle().window(window);
            let now = Timestamp::from_second(second).unwrap();
            if let Some(change) = policy.next_change(now) {
                let before = policy.is_open(now);
                proptest::prop_assert!(change > now);
                proptest::prop_assert_ne!(policy.is_open(change), before);
                let until = (change.as_second() - 1 - second) * part / 1_000;
                let between = Timestamp::from_second(second + until).unwrap();
                proptest::prop_assert_eq!(policy.is_open(between), before);
            }
        }
    }

    #[test]
    fn a_window_of_several_days_closes_at_their_end_and_one_of_every_day_never() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let whole_days = || Window::daily("00:00", "00:00", "UTC").unwrap();
        let weekend = [Weekday::Friday, Weekday::Saturday, Weekday::Sunday];
        let weekends = Policy::gentle().window(whole_days().on(weekend));
        let friday = at("2026-05-01T12:00:00Z");
        assert_eq!(weekends.next_change(friday), Some(at("2026-05-04T00:00:00Z")));
        let always = Policy::gentle().window(whole_days());
        for time in ["2026-05-01T00:00:00Z", "2026-05-01T12:00:00Z", "2026-05-01T23:59:59Z"] {
            assert_eq!(always.next_change(at(time)), None, "{time}");
        }
    }
}
