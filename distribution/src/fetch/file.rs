//! `file://` URLs: a repository on a disk or a mounted mirror.

use std::io::{self, Seek, SeekFrom};

use bundle_format::input;

use super::error::FetchError;
use super::fetcher::Fetch;
use super::request::Request;
use super::response::Response;

/// Reads the local disk. For a file that does not exist it answers 404, like a
/// server, so that callers treat both in the same way.
pub struct FileFetch;

impl Fetch for FileFetch {
    fn open(&self, request: &Request) -> Result<Response, FetchError> {
        let url = &request.url;
        let path = match url.scheme() {
            "file" => url.to_file_path().map_err(|()| FetchError::Scheme { url: url.clone() })?,
            _ => return Err(FetchError::Scheme { url: url.clone() }),
        };
        let transport =
            |error: io::Error| FetchError::Transport { url: url.clone(), source: error.into() };
        let answer = |status, offset, length, body| Response {
            url: url.clone(),
            status,
            headers: Vec::new(),
            offset,
            length: Some(length),
            body,
        };
        let mut file = match input::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(answer(404, 0, 0, Box::new(io::empty())));
            }
            Err(error) => return Err(transport(error)),
        };
        let metadata = file.metadata().map_err(transport)?;
        let offset = request.offset.min(metadata.len());
        file.seek(SeekFrom::Start(offset)).map_err(transport)?;
        let status = if offset == 0 { 200 } else { 206 };
        Ok(answer(status, offset, metadata.len() - offset, Box::new(file)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fetch::bytes;
    use url::Url;

    #[test]
    fn reads_whole_and_from_an_offset_and_answers_404() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a b");
        std::fs::write(&path, b"hello").unwrap();
        let url = Url::from_file_path(&path).unwrap();
        assert_eq!(bytes(&FileFetch, &url, 5).unwrap(), b"hello");
        assert!(matches!(bytes(&FileFetch, &url, 4), Err(FetchError::TooLarge { .. })));

        let mut rest = String::new();
        let request = Request { offset: 3, ..Request::new(url) };
        let mut response = FileFetch.open(&request).unwrap();
        io::Read::read_to_string(&mut response.body, &mut rest).unwrap();
        assert_eq!((rest.as_str(), response.offset, response.length), ("lo", 3, Some(2)));

        let missing = Url::from_file_path(folder.path().join("missing")).unwrap();
        assert_eq!(FileFetch.open(&Request::new(missing.clone())).unwrap().status, 404);
        let error = bytes(&FileFetch, &missing, 5).unwrap_err().to_string();
        let path = folder.path().join("missing");
        assert!(error.starts_with(&format!("there is no file {}", path.display())), "{error}");
        assert!(!error.contains("404"), "{error}");
    }
}
