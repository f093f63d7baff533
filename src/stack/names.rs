//! Names of the files as logical ids of a template.

/// A name in the form of a logical id: `schema-registry` is `SchemaRegistry`.
pub fn logical(name: &str) -> String {
    let mut id = String::new();
    for word in name.split(|c: char| !c.is_ascii_alphanumeric()) {
        let mut letters = word.chars();
        id.extend(letters.next().map(|c| c.to_ascii_uppercase()));
        // CONNECT_CREDS is ConnectCreds, appSubnets stays AppSubnets.
        let shouted = word.len() > 1 && word.chars().all(|c| !c.is_ascii_lowercase());
        id.extend(letters.map(|c| if shouted { c.to_ascii_lowercase() } else { c }));
    }
    id
}

#[cfg(test)]
mod tests {
    use super::logical;

    #[test]
    fn names_become_logical_ids() {
        for (name, id) in
            [("schema-registry", "SchemaRegistry"), ("CONNECT_CREDS", "ConnectCreds"), ("AppSubnets", "AppSubnets"), ("x", "X")]
        {
            assert_eq!(logical(name), id);
        }
    }
}
