// SPDX-License-Identifier: MIT OR Apache-2.0
//! `#[derive(Enumeration)]`: an enum without data as a field whose values are shown by name.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Attribute, Expr, ExprRange, Fields, Ident, Item, RangeLimits, Variant};

use crate::args;
use crate::errors::Errors;

const CONTAINERS: [&str; 10] = ["u8", "u16", "u32", "u64", "usize", "i8", "i16", "i32", "i64", "isize"];

/// One variant and how it is shown.
struct Name<'a> {
    ident: &'a Ident,
    label: String,
    range: Option<ExprRange>,
}

/// Expands `#[derive(Enumeration)] item`.
pub fn enumeration(item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let input = match syn::parse2(item) {
        Ok(Item::Enum(input)) => input,
        Ok(Item::Struct(other)) => return not_an_enum(&other.ident),
        Ok(Item::Union(other)) => return not_an_enum(&other.ident),
        Ok(other) => return not_an_enum(other),
        Err(error) => return error.into_compile_error(),
    };
    if !input.generics.params.is_empty() {
        errors.push(&input.generics, "an enumeration is one fixed list of names: remove the generics");
    }
    if input.variants.is_empty() {
        errors.push(&input.ident, "an enum without variants has no values to record: add one");
    }
    let container = container(&input.attrs, &mut errors);
    let names: Vec<Name> = input.variants.iter().map(|variant| name(variant, &mut errors)).collect();
    if !errors.is_empty() {
        return errors.into_tokens();
    }
    expand(&input.ident, &container, &names)
}

fn not_an_enum(tokens: impl quote::ToTokens) -> TokenStream {
    syn::Error::new_spanned(tokens, "only an enum has named values: derive `Enumeration` for an `enum`")
        .into_compile_error()
}

/// The integer type from `repr`, else `i32`.
fn container(attrs: &[Attribute], errors: &mut Errors) -> Ident {
    let mut found = Ident::new("i32", Span::call_site());
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("repr")) {
        let result = attr.parse_nested_meta(|meta| {
            if let Some(ident) = meta.path.get_ident() {
                if CONTAINERS.iter().any(|known| ident == known) {
                    found = ident.clone();
                } else if ident == "i128" || ident == "u128" {
                    return Err(meta.error("an enumeration has at most 64 bits: use `u64` or `i64`"));
                }
            }
            Ok(())
        });
        if let Err(error) = result {
            errors.add(error);
        }
    }
    found
}

fn name<'a>(variant: &'a Variant, errors: &mut Errors) -> Name<'a> {
    if !matches!(variant.fields, Fields::Unit) {
        errors.push(&variant.fields, "a variant with data has no one value: record the data as fields");
    }
    let mut name = Name { ident: &variant.ident, label: variant.ident.unraw().to_string(), range: None };
    for attr in variant.attrs.iter().filter(|attr| attr.path().is_ident("enumeration")) {
        let Ok(list) = attr.meta.require_list() else {
            errors.push(attr, "`enumeration` needs a list: write `#[enumeration(label = \"..\")]`");
            continue;
        };
        for arg in args::parse(list.tokens.clone(), "enumeration", &["label", "range"], errors) {
            if arg.key == "label" {
                name.label = arg.string(errors).map(|text| text.value()).unwrap_or_default();
                if name.label.is_empty() {
                    errors.push(&arg.key, "the label is empty: give the value a name");
                }
                continue;
            }
            match arg.expr("4..=9", errors) {
                Some(Expr::Range(range)) if is_closed(&range) => name.range = Some(range),
                Some(other) => errors.push(other, "`range` has both ends: write `range = 4..=9`"),
                None => {}
            }
        }
    }
    name
}

fn is_closed(range: &ExprRange) -> bool {
    matches!(range.limits, RangeLimits::Closed(_)) && range.start.is_some() && range.end.is_some()
}

fn expand(ident: &Ident, container: &Ident, names: &[Name]) -> TokenStream {
    let text = ident.unraw().to_string();
    let signed = container.to_string().starts_with('i');
    let wide = Ident::new(if signed { "i64" } else { "u64" }, Span::call_site());
    let mappings = names.iter().map(|name| mapping(name, container, &wide));
    let checks = names.iter().map(|name| check(ident, name, container, &wide));
    let variants: Vec<&Ident> = names.iter().map(|name| name.ident).collect();
    quote! {
        const _: () = { #(#checks)* };

        #[automatically_derived]
        impl ::ust::__private::Field for #ident {
            const TYPE: ::ust::__private::FieldType =
                ::ust::__private::FieldType::Enumeration(::ust::__private::Enumeration {
                    name: #text,
                    container: ::ust::__private::Integer {
                        bits: #container::BITS as u8,
                        signed: #signed,
                        base: ::ust::__private::Base::Decimal,
                        network: false,
                    },
                    mappings: &[#(#mappings),*],
                });
            type Wire = #container;

            #[inline(always)]
            fn wire(self) -> #container {
                <&Self as ::ust::__private::Field>::wire(&self)
            }
        }

        #[automatically_derived]
        impl ::ust::__private::Field for &#ident {
            const TYPE: ::ust::__private::FieldType = <#ident as ::ust::__private::Field>::TYPE;
            type Wire = #container;

            #[inline(always)]
            fn wire(self) -> #container {
                match self {
                    #(#ident::#variants => #ident::#variants as #container,)*
                }
            }
        }

        #[automatically_derived]
        impl ::ust::__private::ScalarField for #ident {
            const SCALAR: ::ust::__private::Scalar =
                <#container as ::ust::__private::ScalarField>::SCALAR;
        }
    }
}

fn mapping(name: &Name, container: &Ident, wide: &Ident) -> TokenStream {
    let Name { ident, label, range } = name;
    let (low, high) = match range {
        Some(ExprRange { start, end, .. }) => (quote!({ #start }), quote!({ #end })),
        None => (quote!(Self::#ident), quote!(Self::#ident)),
    };
    let (low, high) = match range {
        Some(_) => (quote!({ let low: #container = #low; low }), quote!({ let high: #container = #high; high })),
        None => (low, high),
    };
    quote! {
        ::ust::__private::Mapping {
            label: #label,
            low: #low as #container as #wide as u64,
            high: #high as #container as #wide as u64,
        }
    }
}

/// Compile-time checks of one variant: its value fits the container, and lies in its range.
fn check(item: &Ident, name: &Name, container: &Ident, wide: &Ident) -> TokenStream {
    let Name { ident, range, .. } = name;
    let wide_message =
        format!("`{item}::{ident}` does not fit `{container}`: add `#[repr(i64)]` or another integer to the enum");
    let fits = quote_spanned! {ident.span()=>
        ::core::assert!(#item::#ident as i128 == #item::#ident as #container as i128, #wide_message);
    };
    let Some(ExprRange { start, end, .. }) = range else {
        return fits;
    };
    let message = format!("the value of `{item}::{ident}` lies outside of its range: give it a value inside");
    let span = syn::spanned::Spanned::span(range.as_ref().unwrap_or_else(|| unreachable!()));
    let inside = quote_spanned! {span=>
        ::core::assert!(
            { let low: #container = #start; low as #wide } <= #item::#ident as #wide
                && #item::#ident as #wide <= { let high: #container = #end; high as #wide },
            #message
        );
    };
    quote!(#fits #inside)
}
