// SPDX-License-Identifier: MIT OR Apache-2.0
//! One field of an event: an argument with its `#[field(..)]` attribute.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, Meta, PatType, Type};

use crate::args::{self, Arg};
use crate::errors::Errors;
use crate::{declaration, names, types};

const KEYS: [&str; 9] = ["hex", "oct", "bin", "network", "text", "name", "expr", "nowrite", "skip"];

/// Each group holds attributes of which a field has at most one.
const EXCLUSIVE: [&[&str]; 3] = [&["hex", "oct", "bin", "text"], &["network", "text"], &["skip", "expr"]];

/// One argument or computed field.
pub struct Field {
    /// The argument's name.
    pub ident: Ident,
    /// Its type.
    pub ty: Type,
    /// The lints and other attributes the argument keeps.
    pub attrs: Vec<Attribute>,
    /// What it is computed from; `None` for what the caller passes.
    pub computed: Option<Expr>,
    /// Passed for the use of computed fields, not a field itself.
    pub skip: bool,
    /// In the description and in what filters see, not in the record.
    pub nowrite: bool,
    /// The functions of `ust::field::modify` to apply to the type.
    modifiers: Vec<Ident>,
    /// The field's name in the trace, and where it was given.
    name: (String, Span),
    /// Text for the documentation.
    pub docs: Vec<Expr>,
    /// The type was reported as an error.
    bad_type: bool,
}

impl Field {
    /// Parses one argument. `None` when it has no name.
    pub fn parse(typed: PatType, errors: &mut Errors) -> Option<Self> {
        let ident = declaration::plain_name(&typed.pat, errors)?.clone();
        let mut field = Self {
            name: (ident.unraw().to_string(), ident.span()),
            ident,
            ty: *typed.ty,
            attrs: Vec::new(),
            computed: None,
            skip: false,
            nowrite: false,
            modifiers: Vec::new(),
            docs: Vec::new(),
            bad_type: false,
        };
        let args = field.sort_attributes(typed.attrs, errors);
        check_conflicts(&args, errors);
        for arg in &args {
            field.apply(arg, errors);
        }
        let good = match field.skip {
            true => types::check_argument(&field.ty, errors),
            false => types::check(&field.ty, errors),
        };
        field.bad_type = !good;
        if let Some(problem) = names::field_name_problem(&field.name.0).filter(|_| !field.skip) {
            errors.add(syn::Error::new(field.name.1, problem));
        }
        Some(field)
    }

    /// Keeps the attributes that an argument may have, and returns the content of `#[field(..)]`.
    fn sort_attributes(&mut self, attrs: Vec<Attribute>, errors: &mut Errors) -> Vec<Arg> {
        let mut tokens = TokenStream::new();
        let mut seen = false;
        for attr in attrs {
            let path = attr.path();
            let lint = ["allow", "expect", "warn", "deny"].iter().any(|lint| path.is_ident(lint));
            match &attr.meta {
                Meta::NameValue(doc) if path.is_ident("doc") => self.docs.push(doc.value.clone()),
                Meta::List(list) if path.is_ident("field") && !seen => {
                    seen = true;
                    tokens = list.tokens.clone();
                }
                Meta::List(list) if path.is_ident("field") => {
                    errors.push(list, "`#[field(..)]` is given twice: put all keys into one");
                }
                _ if path.is_ident("field") => {
                    errors.push(&attr, "`field` needs a list: write `#[field(hex)]`, for example");
                }
                _ if lint => self.attrs.push(attr),
                _ if path.is_ident("cfg") || path.is_ident("cfg_attr") => errors.push(
                    &attr,
                    "a field cannot depend on `cfg`: declare the tracepoint twice, each with its own `cfg`",
                ),
                _ => errors.push(&attr, "only `#[field(..)]`, doc comments and lints are understood here"),
            }
        }
        args::parse(tokens, "field", &KEYS, errors)
    }

    fn apply(&mut self, arg: &Arg, errors: &mut Errors) {
        match arg.key.to_string().as_str() {
            "name" => {
                if let Some(text) = arg.string(errors) {
                    self.name = (text.value(), text.span());
                }
            }
            "expr" => self.computed = arg.expr("a + b", errors),
            "skip" => {
                arg.flag(errors);
                self.skip = true;
            }
            "nowrite" => {
                arg.flag(errors);
                self.nowrite = true;
            }
            _ => {
                arg.flag(errors);
                self.modifiers.push(arg.key.clone());
            }
        }
    }

    /// Tells whether the argument has a `#[field(..)]` attribute that says anything.
    pub fn is_plain(&self) -> bool {
        let named = self.ident.unraw() != self.name.0;
        self.modifiers.is_empty() && self.computed.is_none() && !self.skip && !self.nowrite && !named
    }

    /// The type for a stub: anything at all if the type was an error.
    pub fn stub_type(&self) -> TokenStream {
        match self.bad_type {
            true => quote!(impl ::core::marker::Sized),
            false => self.ty.to_token_stream(),
        }
    }

    /// The constant that describes the field.
    pub fn description(&self) -> TokenStream {
        let nowrite = self.nowrite;
        let name = &self.name.0;
        let plain = self.trait_item("TYPE");
        let shown = self.modifiers.iter().fold(
            plain,
            |shown, modifier| quote_spanned!(modifier.span()=> ::ust::__private::modify::#modifier(#shown)),
        );
        quote! {
            ::ust::__private::FieldDesc { name: #name, ty: #shown, nowrite: #nowrite }
        }
    }

    /// Wraps `rest` so that it sees the field computed, if it is computed. In a `match`, not a `let`,
    /// temporary values of the expression live on while the event is recorded; the call gives the value
    /// its declared type.
    pub fn compute_before(&self, rest: TokenStream) -> TokenStream {
        let Self { ident, ty, computed, .. } = self;
        let Some(expr) = computed else { return rest };
        quote!(match ::core::convert::identity::<#ty>(#expr) { #ident => { #rest } })
    }

    /// The expression that makes the field's wire; `None` for what is no field.
    pub fn wire(&self) -> Option<TokenStream> {
        let (wire, ident) = (self.trait_item("wire"), &self.ident);
        let argument = quote_spanned!(last_span(&self.ty)=> (#ident));
        (!self.skip).then(|| quote!(#wire #argument))
    }

    /// The path to an item of `Field` for the type. Its tokens span the type from its first to its last
    /// token: the errors that the compiler has for a type that is no field, one for each use, are then the
    /// same error, and it is shown once.
    fn trait_item(&self, item: &str) -> TokenStream {
        let ty = &self.ty;
        let last = last_span(ty);
        let head = quote_spanned!(ty.span()=> <#ty as);
        let tail = quote_spanned!(last=> ::ust::__private::Field>::);
        let item = Ident::new(item, last);
        quote!(#head #tail #item)
    }
}

fn last_span(ty: &Type) -> Span {
    ty.to_token_stream().into_iter().last().map_or(ty.span(), |token| token.span())
}

fn check_conflicts(args: &[Arg], errors: &mut Errors) {
    for group in EXCLUSIVE {
        let mut given = args.iter().filter(|arg| group.iter().any(|key| arg.key == key));
        if let (Some(first), Some(second)) = (given.next(), given.next()) {
            let message = format!("`{}` conflicts with `{}`: keep one", second.key, first.key);
            errors.push(&second.key, message);
        }
    }
    let skip = args.iter().any(|arg| arg.key == "skip");
    for arg in args.iter().filter(|arg| skip && arg.key != "skip" && arg.key != "expr") {
        errors.push(&arg.key, format!("a skipped argument is not a field: remove `{}` or `skip`", arg.key));
    }
}

/// Reports fields that have the name of an earlier one.
pub fn check_names(fields: &[Field], errors: &mut Errors) {
    for (i, field) in fields.iter().enumerate() {
        let earlier = &fields[..i];
        if earlier.iter().any(|other| other.ident == field.ident) {
            errors.push(&field.ident, format!("there already is an argument `{}`: rename one", field.ident));
        } else if !field.skip && earlier.iter().any(|other| !other.skip && other.name.0 == field.name.0) {
            let message = format!("there already is a field `{}`: rename one", field.name.0);
            errors.add(syn::Error::new(field.name.1, message));
        }
    }
}

/// Nests wires in groups of eight, the largest tuple that is a wire.
pub fn group(wires: Vec<TokenStream>) -> TokenStream {
    const GROUP: usize = 8;
    if wires.len() <= GROUP {
        return quote!((#(#wires,)*));
    }
    let groups = wires.chunks(GROUP).map(|wires| quote!((#(#wires,)*))).collect();
    group(groups)
}

/// A name of the generated code that no argument can have.
pub fn hidden(name: &str) -> Ident {
    format_ident!("{}", name, span = Span::mixed_site())
}
