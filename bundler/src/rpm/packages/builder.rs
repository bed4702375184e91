//! Makes the compact form, package by package.

use bundle_format::Nevra;
use url::Url;

use super::columns::{Columns, column_of};
use super::list::Packages;
use super::record::Record;
use super::texts::Texts;
use crate::rpm::package::Package;

/// There are more bytes than the form's numbers can count: 4 GiB.
#[derive(Debug)]
pub(in crate::rpm) struct TooLarge;

/// Packages in the form, in the order in which they come.
pub(in crate::rpm) struct Builder<'a> {
    base: &'a Url,
    texts: Texts,
    nevras: Vec<Nevra>,
    heads: Vec<[u32; 7]>,
    records: Vec<u8>,
    /// What packages provide, have and obsolete: each a text and a package.
    provided: Vec<[u32; 2]>,
    files: Vec<[u32; 2]>,
    obsoleted: Vec<[u32; 2]>,
}

impl<'a> Builder<'a> {
    /// No packages yet, of the repository at `base`.
    pub(in crate::rpm) fn new(base: &'a Url) -> Self {
        Self {
            base,
            texts: Texts::default(),
            nevras: Vec::new(),
            heads: Vec::new(),
            records: Vec::new(),
            provided: Vec::new(),
            files: Vec::new(),
            obsoleted: Vec::new(),
        }
    }

    /// Adds a package.
    pub(in crate::rpm) fn add(&mut self, package: Package) -> Result<(), TooLarge> {
        let number = |count: usize| u32::try_from(count).map_err(|_| TooLarge);
        let place = number(self.nevras.len())?;
        let record = Record::of(&package, self.base, &mut self.texts);
        let entry = |text: u32| [text, place];
        self.provided.extend(record.provides.iter().map(|item| entry(item.name)));
        self.files.extend(record.files.iter().copied().map(entry));
        self.obsoleted.extend(record.obsoleted().map(entry));
        let start = number(self.records.len())?;
        self.records.extend(postcard::to_allocvec(&record).map_err(|_| TooLarge)?);
        let end = number(self.records.len())?;
        let Nevra { name, evr, arch } = &package.nevra;
        let [name, version, release, arch] =
            [name, &evr.version, &evr.release, arch].map(|text| self.texts.number(text));
        self.heads.push([name, evr.epoch, version, release, arch, start, end]);
        self.nevras.push(package.nevra);
        if self.texts.is_full() { Err(TooLarge) } else { Ok(()) }
    }

    /// All packages, sorted. Of those that are the same, the first one stays first.
    pub(in crate::rpm) fn finish(self) -> Result<Packages, TooLarge> {
        let Self { base, texts, nevras, heads, records, mut provided, mut files, .. } = self;
        let mut obsoleted = self.obsoleted;
        let mut all: Vec<(Nevra, usize)> = nevras.into_iter().zip(0..).collect();
        all.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name).then_with(|| a.evr.cmp(&b.evr)));
        let mut places = vec![0; all.len()];
        for (place, (_, before)) in (0..).zip(&all) {
            places.get_mut(*before).into_iter().for_each(|own| *own = place);
        }
        let heads = all.iter().filter_map(|(_, before)| heads.get(*before).copied()).collect();
        for list in [&mut provided, &mut files, &mut obsoleted] {
            for [_, place] in list.iter_mut() {
                *place = places.get(*place as usize).copied().unwrap_or_default();
            }
            list.sort_unstable();
            list.dedup();
            // Stable, so that the packages of a text stay sorted.
            list.sort_by_key(|[text, _]| texts.text(*text));
        }
        let (texts, ends) = texts.into_parts();
        let columns = Columns::join([
            texts,
            column_of(ends),
            column_of::<7>(heads),
            records,
            column_of(provided),
            column_of(files),
            column_of(obsoleted),
        ]);
        let nevras = all.into_iter().map(|(nevra, _)| nevra).collect();
        Ok(Packages::of(columns.ok_or(TooLarge)?, nevras, base.clone()))
    }
}
