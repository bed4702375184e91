//! What one source file says, without its tests.

use proc_macro2::{TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, Lit, Meta, UseTree, Visibility};

/// The names that lead to a module from its crate's root, which itself has none.
pub(super) type Module = Vec<String>;

#[derive(Default)]
pub(super) struct Source {
    /// The modules that are files of their own.
    pub(super) children: Vec<Module>,
    pub(super) imports: Vec<Import>,
    /// Paths of several names, each with the module that it is in.
    pub(super) paths: Vec<(Module, Vec<String>)>,
    /// Functions with their length in lines, from `fn` to the closing brace.
    pub(super) functions: Vec<(String, usize)>,
}

/// `use a::b as name;` in a module.
pub(super) struct Import {
    pub(super) module: Module,
    pub(super) path: Vec<String>,
    pub(super) name: String,
    pub(super) is_private: bool,
}

impl Source {
    /// Reads the text of a module.
    pub(super) fn parse(module: &Module, text: &str) -> syn::Result<Self> {
        let mut reader = Reader { module: module.clone(), source: Self::default() };
        reader.visit_file(&syn::parse_file(text)?);
        Ok(reader.source)
    }
}

struct Reader {
    /// The module that is read: the file's own, or one within it.
    module: Module,
    source: Source,
}

impl Reader {
    fn path(&mut self, path: Vec<String>) {
        if path.len() > 1 {
            self.source.paths.push((self.module.clone(), path));
        }
    }

    fn import(&mut self, tree: &UseTree, mut path: Vec<String>, is_private: bool) {
        let name = match tree {
            UseTree::Group(group) => {
                return group
                    .items
                    .iter()
                    .for_each(|one| self.import(one, path.clone(), is_private));
            }
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                return self.import(&step.tree, path, is_private);
            }
            UseTree::Glob(_) => "*".to_owned(),
            UseTree::Rename(rename) => {
                path.push(rename.ident.to_string());
                rename.rename.to_string()
            }
            UseTree::Name(name) => {
                path.push(name.ident.to_string());
                name.ident.to_string()
            }
        };
        if name == "*" {
            path.push(name.clone());
        }
        // `use a::{self}` is `use a`.
        let is_itself = path.len() > 1 && path.last().is_some_and(|last| last == "self");
        if is_itself {
            path.pop();
        }
        let name = if name == "self" { path.last().cloned().unwrap_or(name) } else { name };
        self.source.imports.push(Import { module: self.module.clone(), path, name, is_private });
    }

    /// Paths in what only a macro can read.
    fn scan(&mut self, tokens: TokenStream, is_attribute: bool) {
        let (mut path, mut colons) = (Vec::new(), 0);
        for token in tokens {
            match token {
                TokenTree::Punct(mark) if mark.as_char() == ':' && colons < 2 => colons += 1,
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.path(std::mem::take(&mut path));
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                other => {
                    self.path(std::mem::take(&mut path));
                    colons = 0;
                    match other {
                        TokenTree::Group(group) => self.scan(group.stream(), is_attribute),
                        // serde takes functions by paths in strings.
                        TokenTree::Literal(text) if is_attribute => {
                            if let Lit::Str(text) = Lit::new(text)
                                && let Ok(path) = text.parse::<syn::Path>()
                            {
                                self.visit_path(&path);
                            }
                        }
                        _ => {}
                    }
                }
            }
        }
        self.path(path);
    }

    fn function(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let first = signature.fn_token.span.start().line;
        let last = body.brace_token.span.close().end().line;
        self.source.functions.push((signature.ident.to_string(), last - first + 1));
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes(item).iter().any(is_for_tests) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let attributes = match item {
            ImplItem::Const(item) => &item.attrs,
            ImplItem::Fn(item) => &item.attrs,
            ImplItem::Type(item) => &item.attrs,
            _ => &Vec::new(),
        };
        if !attributes.iter().any(is_for_tests) {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        self.module.push(item.ident.to_string());
        match &item.content {
            Some((_, items)) => items.iter().for_each(|item| self.visit_item(item)),
            None => self.source.children.push(self.module.clone()),
        }
        self.module.pop();
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        if item.leading_colon.is_none() {
            let is_private = matches!(item.vis, Visibility::Inherited);
            self.import(&item.tree, Vec::new(), is_private);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if let Some(body) = &item.default {
            self.function(&item.sig, body);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.leading_colon.is_none() {
            self.path(path.segments.iter().map(|one| one.ident.to_string()).collect());
        }
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.visit_path(&call.path);
        self.scan(call.tokens.clone(), false);
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let Meta::List(list) = &attribute.meta {
            self.scan(list.tokens.clone(), true);
        }
    }

    /// `pub(in a::b)` needs nothing of `a::b`.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[test]`, `#[cfg(test)]` and `#[cfg(all(test, …))]`.
fn is_for_tests(attribute: &Attribute) -> bool {
    fn needs_test(meta: &Meta) -> bool {
        match meta {
            Meta::Path(path) => path.is_ident("test"),
            Meta::List(list) if list.path.is_ident("cfg") || list.path.is_ident("all") => list
                .parse_args_with(Punctuated::<Meta, syn::Token![,]>::parse_terminated)
                .is_ok_and(|all| all.iter().any(needs_test)),
            _ => false,
        }
    }
    needs_test(&attribute.meta)
}
