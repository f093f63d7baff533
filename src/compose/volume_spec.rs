//! The short syntax of a volume: `[source:]target[:options]`.

/// A volume as it was written on one line.
#[allow(clippy::struct_excessive_bools, reason = "they are what the line says, one each")]
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct VolumeSpec {
    pub(super) source: String,
    pub(super) target: String,
    pub(super) read_only: bool,
    pub(super) nocopy: bool,
    pub(super) propagation: Option<String>,
    pub(super) selinux: Option<String>,
    /// The source is a path, not the name of a volume.
    pub(super) is_bind: bool,
    /// One or two characters are a target and nothing else.
    pub(super) bare: bool,
}

/// Reads it, or says what is wrong.
pub(super) fn parse(spec: &str) -> Result<VolumeSpec, &'static str> {
    let mut volume = VolumeSpec::default();
    match spec.len() {
        0 => return Err("invalid empty volume"),
        1 | 2 => return Ok(VolumeSpec { target: spec.to_owned(), bare: true, ..volume }),
        _ => {}
    }
    let sections = sections(spec);
    let count = sections.len();
    for (index, section) in sections.into_iter().enumerate() {
        let last = index + 1 == count;
        if section.is_empty() {
            return Err("empty section between colons");
        }
        if volume.source.is_empty() && last {
            section.clone_into(&mut volume.target);
        } else if volume.source.is_empty() {
            section.clone_into(&mut volume.source);
        } else if volume.target.is_empty() {
            section.clone_into(&mut volume.target);
        } else if !last {
            return Err("too many colons");
        } else {
            options(section, &mut volume);
        }
    }
    volume.is_bind = is_path(&volume.source);
    Ok(volume)
}

/// Parts between colons; a letter and a colon at the start of a part is a Windows drive, and braces of a variable protect.
fn sections(spec: &str) -> Vec<&str> {
    let mut sections = Vec::new();
    let (mut start, mut open) = (0, 0usize);
    for (index, c) in spec.char_indices() {
        if c == '$' && spec[index + 1..].starts_with('{') {
            open += 1;
        } else if c == '}' && open > 0 {
            open -= 1;
        } else if c == ':' && open == 0 && !is_drive(&spec[start..index]) {
            sections.push(&spec[start..index]);
            start = index + 1;
        }
    }
    sections.push(&spec[start..]);
    sections
}

fn is_drive(section: &str) -> bool {
    let mut letters = section.chars();
    letters.next().is_some_and(char::is_alphabetic) && letters.next().is_none()
}

fn options(section: &str, volume: &mut VolumeSpec) {
    for option in section.split(',') {
        match option {
            "ro" => volume.read_only = true,
            "rw" => volume.read_only = false,
            "nocopy" => volume.nocopy = true,
            "rprivate" | "private" | "rshared" | "shared" | "rslave" | "slave" => volume.propagation = Some(option.to_owned()),
            "z" | "Z" => volume.selinux = Some(option.to_owned()),
            // Unknown options are passed over, as in the reference.
            _ => {}
        }
    }
}

fn is_path(source: &str) -> bool {
    let mut characters = source.chars();
    match characters.next() {
        None => false,
        Some('.' | '/' | '~') => true,
        Some(_) if source.starts_with("\\\\") => true,
        Some(first) => first.is_alphabetic() && characters.next() == Some(':'),
    }
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn forms() {
        let spec = parse("./rel:/rel:ro,z").unwrap();
        assert_eq!((spec.source.as_str(), spec.target.as_str(), spec.read_only, spec.is_bind), ("./rel", "/rel", true, true));
        assert_eq!(parse("v:/x").unwrap().target, "v:/x");
        assert_eq!(parse("C:\\data:/d").unwrap().source, "C:\\data");
        assert!(!parse("named:/n").unwrap().is_bind);
        assert!(parse("/x").unwrap().bare);
        for wrong in ["", "ab::c", "/a:/b:ro:x"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
