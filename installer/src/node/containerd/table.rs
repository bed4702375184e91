//! Looking things up in TOML's tables.

use toml_edit::{Item, TableLike, Value};

/// The item at a path.
pub(crate) fn at<'a>(table: &'a dyn TableLike, path: &[&str]) -> Option<&'a Item> {
    let (key, tables) = path.split_last()?;
    let mut table = table;
    for name in tables {
        table = table.get(name)?.as_table_like()?;
    }
    table.get(key)
}

/// The strings of a list.
pub(crate) fn strings(item: Option<&Item>) -> Vec<String> {
    let list = item.and_then(Item::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}
