//! Plain scalars that YAML reads as a date or a time. The reference keeps them as times and prints them in two forms.

/// A date or a point in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timestamp {
    /// As it was typed.
    pub written: Box<str>,
    year: u32,
    month: u32,
    day: u32,
    hour: u32,
    minute: u32,
    second: u32,
    /// Digits after the decimal point, without trailing zeros.
    fraction: Box<str>,
    /// Minutes east of UTC.
    offset: i32,
}

impl Timestamp {
    /// `2006-1-2`, `2006-1-2 15:4:5.9`, `2006-1-2T15:4:5.9Z` or with an offset as `+07:00`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let bytes = text.as_bytes();
        if bytes.len() < 8 || !bytes.get(..4)?.iter().all(u8::is_ascii_digit) || bytes.get(4) != Some(&b'-') {
            return None;
        }
        let mut rest = text.get(5..)?;
        let year: u32 = text.get(..4)?.parse().ok()?;
        let month = take_number(&mut rest, 1..=12)?;
        rest = rest.strip_prefix('-')?;
        let day = take_number(&mut rest, 1..=days_in(year, month))?;
        let mut time =
            Self { written: text.into(), year, month, day, hour: 0, minute: 0, second: 0, fraction: "".into(), offset: 0 };
        if rest.is_empty() {
            return Some(time);
        }
        let zoned = rest.starts_with(['T', 't']);
        rest = rest.strip_prefix(['T', 't', ' '])?;
        time.hour = take_number(&mut rest, 0..=23)?;
        rest = rest.strip_prefix(':')?;
        time.minute = take_number(&mut rest, 0..=59)?;
        rest = rest.strip_prefix(':')?;
        time.second = take_number(&mut rest, 0..=59)?;
        if let Some(after) = rest.strip_prefix('.') {
            let digits = after.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 || digits > 9 {
                return None;
            }
            time.fraction = after.get(..digits)?.trim_end_matches('0').into();
            rest = after.get(digits..)?;
        }
        if zoned {
            time.offset = parse_offset(rest)?;
        } else if !rest.is_empty() {
            return None;
        }
        Some(time)
    }

    /// As text where a text is wanted: `2012-10-17 00:00:00 +0000 UTC`.
    pub(super) fn spaced(&self) -> String {
        let zone = match self.offset {
            0 => "+0000 UTC".to_owned(),
            offset => {
                let zone = offset_text(offset, "");
                format!("{zone} {zone}")
            }
        };
        format!("{} {} {zone}", self.date(), self.clock())
    }

    /// As JSON and YAML write it: `2012-10-17T00:00:00Z`.
    pub(super) fn rfc3339(&self) -> String {
        let zone = if self.offset == 0 { "Z".to_owned() } else { offset_text(self.offset, ":") };
        format!("{}T{}{zone}", self.date(), self.clock())
    }

    fn date(&self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    fn clock(&self) -> String {
        let point = if self.fraction.is_empty() { "" } else { "." };
        format!("{:02}:{:02}:{:02}{point}{}", self.hour, self.minute, self.second, self.fraction)
    }
}

fn days_in(year: u32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if (year.is_multiple_of(4) && !year.is_multiple_of(100)) || year.is_multiple_of(400) => 29,
        2 => 28,
        _ => 31,
    }
}

/// One or two digits within a range.
fn take_number(rest: &mut &str, range: std::ops::RangeInclusive<u32>) -> Option<u32> {
    let digits = rest.bytes().take(2).take_while(u8::is_ascii_digit).count();
    let number = rest.get(..digits)?.parse().ok()?;
    *rest = rest.get(digits..)?;
    range.contains(&number).then_some(number)
}

fn parse_offset(text: &str) -> Option<i32> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = text.strip_prefix(['+', '-'])?.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 60 + minutes))
}

fn offset_text(offset: i32, separator: &str) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    format!("{sign}{:02}{separator}{:02}", offset.abs() / 60, offset.abs() % 60)
}
