//! Which Kubernetes the makers of an add-on test it with.

/// A minor release of an add-on, and the first and the last minor release of Kubernetes
/// that it is tested with.
pub(super) type Row = (u32, u32, u32);

/// A warning if a product is not tested with Kubernetes 1.`minor`; none for a release
/// that the table does not have.
pub(super) fn untested(
    (product, [own, patch]): (&str, [u32; 2]),
    table: &[Row],
    minor: u32,
) -> Option<String> {
    let (_, first, last) = table.iter().find(|(row, ..)| *row == own)?;
    (!(*first..=*last).contains(&minor)).then(|| {
        format!(
            "{product}.{own}.{patch} is tested with Kubernetes 1.{first} to 1.{last}, but the spec \
             says 1.{minor}"
        )
    })
}
