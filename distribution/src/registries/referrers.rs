//! A registry's own list of what refers to a manifest (OCI distribution spec, "Listing
//! Referrers"). A long one has pages.

use bundle_format::oci::{Document as Index, Entry};
use url::Url;

use super::registry::is_index;
use crate::fetch::{Document, FetchError, Request};

/// The most pages that are read. A page has up to 4 MiB, and most lists have one.
const MOST_PAGES: usize = 16;

/// All entries of the list that `first` asks for. None if the registry has no such list: the
/// error of `read` says so, or the answer is a page of something else.
pub fn listed<E: From<FetchError>>(
    first: &Request,
    read: impl Fn(&Request) -> Result<Document, E>,
    has_none: impl Fn(&E) -> bool,
) -> Result<Option<Vec<Entry>>, E> {
    let mut page = match read(first) {
        Ok(page) if is_list(&page) => page,
        Ok(_) => return Ok(None),
        Err(error) if has_none(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let (mut request, mut all) = (first.clone(), Vec::new());
    for _ in 0..MOST_PAGES {
        all.extend(entries(&request.url, &page)?);
        let Some(target) = next(&page.headers) else { return Ok(Some(all)) };
        request.url = within(&request.url, target)?;
        page = read(&request)?;
    }
    let reason = format!("its list of what refers to this has more than {MOST_PAGES} pages");
    Err(FetchError::Refused { url: first.url.clone(), reason }.into())
}

fn is_list(page: &Document) -> bool {
    page.header("content-type").is_some_and(is_index)
}

/// The entries of one page.
fn entries(url: &Url, page: &Document) -> Result<Vec<Entry>, FetchError> {
    let index = serde_json::from_slice::<Index>(&page.bytes).ok().filter(|_| is_list(page));
    let index = index.ok_or_else(|| FetchError::Mismatch {
        url: url.clone(),
        wanted: "an index".to_owned(),
        found: "something else".to_owned(),
    })?;
    Ok(index.manifests.unwrap_or_default())
}

/// The next page. A login goes there, so it must be of the same registry.
fn within(url: &Url, target: &str) -> Result<Url, FetchError> {
    let next = url.join(target).ok().filter(|next| next.origin() == url.origin());
    next.ok_or_else(|| FetchError::Refused {
        url: url.clone(),
        reason: "its list goes on at another address; set the registry's own address there"
            .to_owned(),
    })
}

/// The target of the link to the next page (RFC 8288, section 3).
fn next(headers: &[(String, String)]) -> Option<&str> {
    headers.iter().filter(|(name, _)| name == "link").find_map(|(_, links)| next_of(links))
}

fn next_of(mut links: &str) -> Option<&str> {
    loop {
        let (target, rest) = links.split_once('<')?.1.split_once('>')?;
        // Parameters reach to the next target.
        if rest.split('<').next()?.split([';', ',']).any(is_next) {
            return Some(target);
        }
        links = rest;
    }
}

fn is_next(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, value)| {
        let mut kinds = value.trim().trim_matches('"').split_ascii_whitespace();
        name.trim().eq_ignore_ascii_case("rel")
            && kinds.any(|kind| kind.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use bundle_format::oci::OCI_INDEX;

    use super::*;

    const FIRST: &str = "https://r.io/v2/a/referrers/sha256:0";

    /// A page with one entry of this size.
    fn page(size: usize, link: Option<&str>) -> Document {
        let entry = format!(r#"{{"mediaType":"m","digest":"d","size":{size}}}"#);
        let mut headers = vec![("content-type".to_owned(), format!("{OCI_INDEX}; charset=utf-8"))];
        headers.extend(link.map(|link| ("link".to_owned(), link.to_owned())));
        Document { bytes: format!(r#"{{"manifests":[{entry}]}}"#).into_bytes(), headers }
    }

    /// The sizes of all entries, and what was asked for. Page `n` has the links `links[n]`.
    fn read(links: &[&str]) -> (Result<Option<Vec<u64>>, String>, Vec<String>) {
        let asked = RefCell::new(Vec::new());
        let answer = |request: &Request| -> Result<Document, FetchError> {
            let number = asked.borrow().len();
            asked.borrow_mut().push(request.url.to_string());
            Ok(page(number, links.get(number).copied()))
        };
        let found = listed(&Request::new(FIRST.parse().unwrap()), answer, |_| false);
        let sizes = |all: Vec<Entry>| all.iter().map(|entry| entry.size).collect();
        (found.map(|all| all.map(sizes)).map_err(|error| error.to_string()), asked.into_inner())
    }

    #[test]
    fn every_page_is_read_in_each_form_of_a_link() {
        let links = [
            "</v2/a/referrers/sha256:0?page=1>; rel=\"next\"",
            "<?page=2>; rel=next",
            "<https://r.io/v2/b?x=1,2>; title=\"a; b\"; Rel=\"last NEXT\", </other>; rel=prev",
            "</first>;rel=first, </v2/c>;rel=next",
            "</v2/d>; rel=prev; title=next",
        ];
        let (sizes, asked) = read(&links);
        assert_eq!(sizes, Ok(Some(vec![0, 1, 2, 3, 4])));
        let second = format!("{FIRST}?page=1");
        let third = format!("{FIRST}?page=2");
        let fourth = "https://r.io/v2/b?x=1,2";
        assert_eq!(asked, [FIRST, &second, &third, fourth, "https://r.io/v2/c"]);
    }

    #[test]
    fn a_list_that_leads_away_or_never_ends_is_refused() {
        for away in ["<http://r.io/v2/a>; rel=next", "<//other.io/v2/a>; rel=next"] {
            let (found, asked) = read(&[away]);
            assert!(found.unwrap_err().contains("goes on at another address"), "{away}");
            assert_eq!(asked.len(), 1);
        }
        let (found, asked) = read(&["<?again>; rel=next"; 40]);
        assert!(found.unwrap_err().contains("more than 16 pages"));
        assert_eq!(asked.len(), 17);
    }

    #[test]
    fn what_is_no_list_is_none_and_a_later_page_must_be_one() {
        let first = Request::new(FIRST.parse().unwrap());
        let web = |_: &Request| -> Result<Document, FetchError> {
            Ok(Document { bytes: b"<html>".to_vec(), headers: Vec::new() })
        };
        assert!(listed(&first, web, |_| false).unwrap().is_none());
        let half = |request: &Request| match request.url.query() {
            None => Ok(page(0, Some("<?2>; rel=next"))),
            Some(_) => web(request),
        };
        let error = listed(&first, half, |_| false).unwrap_err().to_string();
        assert!(error.contains("has something else, but an index was promised"), "{error}");
        let missing = |request: &Request| {
            let (url, hint) = (request.url.clone(), String::new());
            Err(FetchError::Status { url, status: 404, hint })
        };
        assert!(listed(&first, missing, |_| true).unwrap().is_none());
        assert!(listed(&first, missing, |_| false).is_err());
    }
}
