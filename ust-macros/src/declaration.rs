// SPDX-License-Identifier: MIT OR Apache-2.0
//! The function declaration under `#[tracepoint]` and `#[event_class]`.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, FnArg, Pat, ReturnType, Safety, Signature, Token, Visibility};

use crate::errors::Errors;
use crate::fields::Field;

/// What the macros see of the declaration.
struct Source {
    attrs: Vec<Attribute>,
    vis: Visibility,
    sig: Signature,
    /// The text of a body, with its braces.
    body: Option<(syn::token::Brace, TokenStream)>,
}

impl Parse for Source {
    fn parse(input: ParseStream) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis: Visibility = input.parse()?;
        if !is_function(input) {
            return Err(input.error("expected a function declaration without body, such as `fn checkout(order: u64);`"));
        }
        let sig = input.parse()?;
        let body = if input.peek(syn::token::Brace) {
            let content;
            let brace = syn::braced!(content in input);
            Some((brace, content.parse()?))
        } else {
            input.parse::<Token![;]>()?;
            None
        };
        Ok(Self { attrs, vis, sig, body })
    }
}

fn is_function(input: ParseStream) -> bool {
    input.peek(Token![fn])
        || input.peek(Token![unsafe])
        || input.peek(Token![async])
        || input.peek(Token![extern])
        || (input.peek(Token![const]) && !input.peek2(syn::Ident))
}

/// A checked declaration.
pub struct Declaration {
    /// Its attributes, other than the macro's own.
    pub attrs: Vec<Attribute>,
    /// Who may call it.
    pub vis: Visibility,
    /// Its name.
    pub ident: syn::Ident,
    /// What it was declared with in angle brackets. An error, but kept for the stub.
    generics: syn::Generics,
    /// Its arguments and computed fields, in order.
    pub fields: Vec<Field>,
}

impl Declaration {
    /// Parses and checks `item`. `None` when not even a name and a list of arguments could be found.
    pub fn parse(item: TokenStream, errors: &mut Errors) -> Option<Self> {
        let source: Source = match syn::parse2(item) {
            Ok(source) => source,
            Err(error) => {
                errors.add(error);
                return None;
            }
        };
        check_signature(&source.sig, errors);
        if let Some((brace, body)) = &source.body
            && !body.is_empty()
        {
            errors.add(syn::Error::new(
                brace.span.join(),
                "a tracepoint has no body, it only records its arguments: end the declaration with `;` \
                 (a computed field is `#[field(expr = ..)] name: Type`)",
            ));
        }
        let Source { attrs, vis, sig, .. } = source;
        let mut fields = Vec::new();
        for input in sig.inputs {
            match input {
                FnArg::Typed(typed) => fields.extend(Field::parse(typed, errors)),
                FnArg::Receiver(receiver) => {
                    errors.push(receiver, "a tracepoint is a free function without `self`: pass the values to record")
                }
            }
        }
        crate::fields::check_names(&fields, errors);
        Some(Self { attrs, vis, ident: sig.ident, generics: sig.generics, fields })
    }

    /// The attributes that decide whether the item exists: they go on all generated items.
    pub fn cfgs(&self) -> impl Iterator<Item = &Attribute> {
        self.attrs.iter().filter(|attr| attr.path().is_ident("cfg"))
    }

    /// The attributes for the module beside the function.
    pub fn module_attrs(&self) -> impl Iterator<Item = &Attribute> {
        const SHARED: [&str; 6] = ["cfg", "cfg_attr", "allow", "warn", "deny", "forbid"];
        self.attrs.iter().filter(|attr| SHARED.iter().any(|name| attr.path().is_ident(name)))
    }

    /// Says that the tracepoint is not to be used any more: goes on what users call.
    pub fn deprecation(&self) -> Option<&Attribute> {
        self.attrs.iter().find(|attr| attr.path().is_ident("deprecated"))
    }

    /// The arguments that callers pass.
    pub fn params(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| field.computed.is_none())
    }

    /// Keeps Clippy from counting arguments, where it would: the tracepoint is one more for a class.
    pub fn allow_many_arguments(&self) -> Option<TokenStream> {
        const UNNOTICED_MAX: usize = 6;
        (self.params().count() > UNNOTICED_MAX).then(|| quote!(#[allow(clippy::too_many_arguments)]))
    }

    /// What stands for a tracepoint that could not be expanded: the same names, doing nothing, so that
    /// its callers are not reported as well.
    pub fn stub(&self) -> TokenStream {
        let Self { vis, ident, generics, .. } = self;
        let clause = &generics.where_clause;
        let cfgs: Vec<_> = self.cfgs().collect();
        let types = self.params().map(Field::stub_type);
        let types_too = self.params().map(Field::stub_type);
        quote! {
            #(#cfgs)*
            #[allow(dead_code, missing_docs, non_snake_case, private_bounds, private_interfaces)]
            #vis fn #ident #generics (#(_: #types),*) #clause {}
            #(#cfgs)*
            #[allow(dead_code, missing_docs, non_snake_case, unreachable_pub)]
            #vis mod #ident {
                pub struct Event;
                pub struct Class;
                pub fn enabled() -> bool { false }
            }
            #(#cfgs)*
            #[allow(dead_code, missing_docs, private_bounds, private_interfaces)]
            impl #ident::Event {
                #vis fn emit #generics (#(_: #types_too),*) #clause {}
            }
        }
    }
}

fn check_signature(sig: &Signature, errors: &mut Errors) {
    if let Some(token) = &sig.constness {
        errors.push(token, "a tracepoint records at run time: remove `const`");
    }
    if let Some(token) = &sig.asyncness {
        errors.push(token, "a tracepoint never waits: remove `async`");
    }
    if let Safety::Unsafe(token) = &sig.safety {
        errors.push(token, "a tracepoint is safe to call: remove `unsafe`");
    }
    if let Some(abi) = &sig.abi {
        errors.push(abi, "a tracepoint is called from Rust: remove `extern`");
    }
    if !sig.generics.params.is_empty() {
        errors.push(
            &sig.generics,
            "a tracepoint has one fixed list of fields: remove the generic parameters, name concrete types",
        );
    }
    if let Some(clause) = &sig.generics.where_clause {
        errors.push(clause, "a tracepoint has no generic parameters: remove the `where` clause");
    }
    if let ReturnType::Type(..) = &sig.output {
        errors.push(&sig.output, "a tracepoint returns nothing: remove the return type");
    }
    if let Some(variadic) = &sig.variadic {
        errors.push(variadic.dots, "a tracepoint has a fixed list of fields: name each argument");
    }
}

/// Returns the name if the pattern is one plain name.
pub fn plain_name<'a>(pat: &'a Pat, errors: &mut Errors) -> Option<&'a syn::Ident> {
    let Pat::Ident(name) = pat else {
        errors.push(pat, "an argument is one plain name, which becomes the field's: write `name: Type`");
        return None;
    };
    if let Some(token) = &name.mutability {
        errors.push(token, "an argument is recorded as it is: remove `mut`");
    }
    if let Some(token) = &name.by_ref {
        errors.push(token, "an argument is one plain name: remove `ref`");
    }
    if let Some((_, inner)) = &name.subpat {
        errors.push(inner, "an argument is one plain name: remove the pattern after `@`");
    }
    Some(&name.ident)
}
