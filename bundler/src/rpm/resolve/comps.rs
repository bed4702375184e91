//! `comps.xml`: the groups of packages that a distribution installs together.

use rpmrepo_metadata::utils::create_xml_reader;
use rpmrepo_metadata::visitor::{CompsVisitor, parse_comps};

use crate::rpm::primary::MetadataError;
use crate::rpm::xml;

/// The packages that come with the group `id` by default: its mandatory and default
/// ones (yum's `group_package_types`).
pub(super) fn group(text: &str, id: &str) -> Result<Vec<String>, MetadataError> {
    xml::check(text.as_bytes()).map_err(MetadataError::Xml)?;
    let mut visitor = Group { wanted: id, inside: false, packages: Vec::new() };
    parse_comps(&mut create_xml_reader(text.as_bytes()), &mut visitor)
        .map_err(|error| MetadataError::Xml(error.to_string()))?;
    Ok(visitor.packages)
}

struct Group<'a> {
    wanted: &'a str,
    inside: bool,
    packages: Vec<String>,
}

impl CompsVisitor for Group<'_> {
    fn set_group_id(&mut self, id: &str) {
        self.inside = id == self.wanted;
    }

    fn add_group_package(&mut self, name: &str, reqtype: &str, _: Option<&str>, _: Option<bool>) {
        if self.inside && matches!(reqtype, "mandatory" | "default" | "") {
            self.packages.push(name.to_owned());
        }
    }

    fn end_group(&mut self) {
        self.inside = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_gives_its_mandatory_and_default_packages() {
        let text = "<?xml version=\"1.0\"?><comps>\
            <group><id>core</id><packagelist>\
            <packagereq type=\"mandatory\">bash</packagereq>\
            <packagereq type=\"default\">vim</packagereq>\
            <packagereq type=\"optional\">tuned</packagereq></packagelist></group>\
            <group><id>web</id><packagelist>\
            <packagereq type=\"mandatory\">httpd</packagereq></packagelist></group></comps>";
        assert_eq!(group(text, "core").unwrap(), ["bash", "vim"]);
        assert_eq!(group(text, "none").unwrap(), [] as [&str; 0]);
        assert!(group("<comps><group>", "core").is_err());
    }
}
