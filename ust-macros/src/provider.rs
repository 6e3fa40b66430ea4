// SPDX-License-Identifier: MIT OR Apache-2.0
//! `#[provider]`: passes a provider and a log level on to the tracepoints of a module.
//!
//! The module is not taken apart: every `#[tracepoint(..)]` in it gets two more keys, `__provider` and
//! `__loglevel`, which the tracepoint's own keys override. A provider module inside another one is
//! expanded later and so has the last word on its own tracepoints.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Ident, Token, Visibility};

use crate::args;
use crate::errors::Errors;
use crate::{names, tracepoint};

struct Module {
    attrs: Vec<Attribute>,
    vis: Visibility,
    ident: Ident,
    content: TokenStream,
}

impl Parse for Module {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        if !input.peek(Token![mod]) {
            return Err(input.error("`#[provider]` goes on a module: `mod shop { .. }`"));
        }
        input.parse::<Token![mod]>()?;
        let ident = input.parse()?;
        if !input.peek(syn::token::Brace) {
            return Err(input.error("`#[provider]` sees only what is written here: give the module a body `{ .. }`"));
        }
        let content;
        syn::braced!(content in input);
        Ok(Self { attrs, vis, ident, content: content.parse()? })
    }
}

/// Expands `#[provider(args)] item`.
pub fn provider(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = args::parse(args, "provider", &["name", "loglevel"], &mut errors);
    let module: Module = match syn::parse2(item) {
        Ok(module) => module,
        Err(error) => {
            errors.add(error);
            return errors.into_tokens();
        }
    };
    let mut name = (module.ident.unraw().to_string(), module.ident.span());
    let mut level = None;
    for arg in &args {
        if arg.key == "name" {
            if let Some(text) = arg.string(&mut errors) {
                name = (text.value(), text.span());
            }
        } else {
            level = tracepoint::loglevel(arg, &mut errors);
        }
    }
    if let Some(problem) = names::event_name_problem(&name.0, "provider") {
        errors.add(syn::Error::new(name.1, problem));
        name.0 = "invalid".into();
    }
    let text = syn::LitStr::new(&name.0, name.1);
    let level = level.map(|level| quote!(, __loglevel = #level));
    let content = pass_on(module.content, &quote!(__provider = #text #level));
    let errors = errors.into_tokens();
    let Module { attrs, vis, ident, .. } = module;
    quote! {
        #errors
        #(#attrs)*
        #vis mod #ident {
            use ::ust::__private::declare::*;
            #content
        }
    }
}

/// Adds `keys` to each `#[tracepoint(..)]` in `tokens`, at any depth.
fn pass_on(tokens: TokenStream, keys: &TokenStream) -> TokenStream {
    let mut out = Vec::new();
    let mut after_pound = false;
    for token in tokens {
        let pound = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '#');
        out.push(match token {
            TokenTree::Group(group) => {
                let bracket = group.delimiter() == Delimiter::Bracket;
                let attribute = (after_pound && bracket).then(|| extend(group.stream(), keys)).flatten();
                let inner = attribute.unwrap_or_else(|| pass_on(group.stream(), keys));
                let mut changed = Group::new(group.delimiter(), inner);
                changed.set_span(group.span());
                TokenTree::Group(changed)
            }
            other => other,
        });
        after_pound = pound;
    }
    out.into_iter().collect()
}

/// Returns the attribute with `keys` added if it is `tracepoint`, `ust::tracepoint` or the like.
fn extend(attribute: TokenStream, keys: &TokenStream) -> Option<TokenStream> {
    let mut path: Vec<TokenTree> = attribute.into_iter().collect();
    let list = match path.last() {
        Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Parenthesis => {
            let list = group.stream();
            path.pop();
            list
        }
        _ => TokenStream::new(),
    };
    let named = matches!(path.last(), Some(TokenTree::Ident(name)) if name == "tracepoint");
    let is_path = path.iter().all(|token| match token {
        TokenTree::Ident(_) => true,
        TokenTree::Punct(punct) => punct.as_char() == ':',
        _ => false,
    });
    if !(named && is_path) {
        return None;
    }
    let path: TokenStream = path.into_iter().collect();
    let comma = needs_comma(&list).then(|| quote!(,));
    Some(quote!(#path(#list #comma #keys)))
}

fn needs_comma(list: &TokenStream) -> bool {
    match list.clone().into_iter().last() {
        Some(TokenTree::Punct(punct)) => punct.as_char() != ',',
        Some(_) => true,
        None => false,
    }
}
