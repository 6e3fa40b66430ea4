// SPDX-License-Identifier: MIT OR Apache-2.0
//! `#[tracepoint]` and `#[event_class]`.
//!
//! `#[tracepoint] pub fn checkout(order: u64, sku: &str);` in the crate `shop` becomes
//!
//! ```text
//! #[inline(always)]
//! pub fn checkout(order: u64, sku: &str) {
//!     if checkout::TRACEPOINT.is_enabled() {
//!         checkout::Event::emit(order, sku)
//!     }
//! }
//! pub mod checkout {
//!     pub struct Event;
//!     pub static TRACEPOINT: Tracepoint = Tracepoint::new(<Event as Declared>::DESC);
//!     #[used] #[unsafe(link_section = "ust_tracepoints")]
//!     static ENTRY: &Tracepoint = &TRACEPOINT;
//!     pub fn enabled() -> bool { TRACEPOINT.is_enabled() }
//! }
//! impl Declared for checkout::Event {
//!     const DESC: &TracepointDesc = &TracepointDesc { provider: "shop", name: "checkout", .. };
//! }
//! impl checkout::Event {
//!     #[inline(always)]
//!     pub fn encode(sink: impl Sink, order: u64, sku: &str) {
//!         sink.take((<u64 as Field>::wire(order), <&str as Field>::wire(sku)), ())
//!     }
//!     #[inline(never)]
//!     pub fn emit(order: u64, sku: &str) {
//!         Self::encode(&checkout::TRACEPOINT, order, sku)
//!     }
//! }
//! ```
//!
//! The impls stand beside the function, not in the module, so that types are looked up where they were
//! written, also in a function body. Of an event class there are the field list (`EventClass::FIELDS`)
//! and the recording function (`Class::record`), which takes the tracepoint as an argument.
//!
//! The second argument of `take` are the fields that only filters see. `emit` and `record` are never inlined: their return address is the context
//! `ip`.
//!
//! The expansion has no unsafe block and, as a rule, no `#[allow(..)]`: a crate that forbids the lint
//! would refuse the attribute, while the compiler hides most lints in the output of a macro anyway.

use proc_macro2::{Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Ident, Path};

use crate::args::{self, Arg};
use crate::declaration::Declaration;
use crate::errors::Errors;
use crate::fields::{self, Field};
use crate::names;

const KEYS: [&str; 5] = ["provider", "name", "loglevel", "model_emf_uri", "class"];

/// What the attribute says.
struct Settings {
    provider: (String, Span),
    name: (String, Span),
    loglevel: Ident,
    model_emf_uri: String,
    class: Option<Path>,
}

/// Expands `#[tracepoint(args)] item`.
pub fn tracepoint(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    let args = args::parse(args, "tracepoint", &KEYS, &mut errors);
    let Some(declaration) = Declaration::parse(item, &mut errors) else {
        return errors.into_tokens();
    };
    let settings = Settings::new(&args, &declaration.ident, &mut errors);
    if settings.class.is_some() {
        check_instance(&declaration, &mut errors);
    }
    if !errors.is_empty() {
        let stub = declaration.stub();
        let errors = errors.into_tokens();
        return quote!(#errors #stub);
    }
    let function = function(&declaration, &settings);
    let module = module(&declaration);
    let description = description(&declaration, &settings);
    let emit = match &settings.class {
        None => emit(&declaration),
        Some(class) => emit_of_class(&declaration, class),
    };
    quote!(#function #module #description #emit)
}

/// Expands `#[event_class] item`.
pub fn event_class(args: TokenStream, item: TokenStream) -> TokenStream {
    let mut errors = Errors::default();
    args::parse(args, "event_class", &[], &mut errors);
    let Some(declaration) = Declaration::parse(item, &mut errors) else {
        return errors.into_tokens();
    };
    if !errors.is_empty() {
        let stub = declaration.stub();
        let errors = errors.into_tokens();
        return quote!(#errors #stub);
    }
    class(&declaration)
}

impl Settings {
    fn new(args: &[Arg], ident: &Ident, errors: &mut Errors) -> Self {
        let crate_name = std::env::var("CARGO_CRATE_NAME").unwrap_or_else(|_| "app".into());
        let mut settings = Self {
            provider: (crate_name, ident.span()),
            name: (ident.unraw().to_string(), ident.span()),
            loglevel: Ident::new("DebugLine", Span::call_site()),
            model_emf_uri: String::new(),
            class: None,
        };
        // The module's defaults come after the tracepoint's own keys, and must not win.
        for ours in [true, false] {
            for arg in args.iter().filter(|arg| arg.key.to_string().starts_with("__") == ours) {
                settings.apply(arg, errors);
            }
        }
        settings.check_names(errors);
        settings
    }

    fn apply(&mut self, arg: &Arg, errors: &mut Errors) {
        match arg.key.to_string().as_str() {
            "provider" | "__provider" => {
                if let Some(text) = arg.string(errors) {
                    self.provider = (text.value(), text.span());
                }
            }
            "name" => {
                if let Some(text) = arg.string(errors) {
                    self.name = (text.value(), text.span());
                }
            }
            "model_emf_uri" => {
                self.model_emf_uri = arg.string(errors).map(|text| text.value()).unwrap_or_default();
            }
            "loglevel" | "__loglevel" => self.loglevel = loglevel(arg, errors).unwrap_or(self.loglevel.clone()),
            "class" => self.class = arg.path("request", errors),
            _ => {}
        }
    }

    fn check_names(&self, errors: &mut Errors) {
        let mut good = true;
        for ((name, span), what) in [(&self.provider, "provider"), (&self.name, "event")] {
            if let Some(problem) = names::event_name_problem(name, what) {
                good = false;
                errors.add(syn::Error::new(*span, problem));
            }
        }
        let (provider, name) = (&self.provider.0, &self.name.0);
        let full_bytes = provider.len() + ":".len() + name.len();
        if good && full_bytes > names::FULL_NAME_BYTES_MAX {
            let message = format!(
                "`{provider}:{name}` has {full_bytes} bytes, more than {}: shorten the provider or the name",
                names::FULL_NAME_BYTES_MAX
            );
            errors.add(syn::Error::new(self.name.1, message));
        }
    }
}

/// Returns the log level that `loglevel = ..` names: `Info`, or a path that ends so.
pub fn loglevel(arg: &Arg, errors: &mut Errors) -> Option<Ident> {
    let path = arg.path("Info", errors)?;
    let level = &path.segments.last()?.ident;
    if names::LEVELS.iter().any(|known| level == known) {
        return Some(level.clone());
    }
    let hint = match names::closest(&level.to_string(), &names::LEVELS) {
        Some(near) => format!("did you mean `{near}`? "),
        None => String::new(),
    };
    let list = names::LEVELS.join(", ");
    errors.push(&path, format!("there is no log level `{level}`: {hint}the levels are {list}"));
    None
}

/// The fields of an instance are those of its class; the declaration only repeats the arguments.
fn check_instance(declaration: &Declaration, errors: &mut Errors) {
    for field in declaration.fields.iter().filter(|field| !field.is_plain()) {
        errors.push(
            &field.ident,
            format!("the fields belong to the class: move `#[field(..)]` of `{}` there", field.ident),
        );
    }
}

fn function(declaration: &Declaration, settings: &Settings) -> TokenStream {
    let Declaration { attrs, vis, ident, .. } = declaration;
    let (names, params) = (names_of(declaration), params_of(declaration));
    let documented = attrs.iter().any(|attr| attr.path().is_ident("doc"));
    let docs = format!("Records the event `{}:{}`.", settings.provider.0, settings.name.0);
    let docs = (!documented).then(|| quote!(#[doc = #docs]));
    let (field_docs, many) = (field_docs(declaration), declaration.allow_many_arguments());
    quote! {
        #docs
        #(#attrs)*
        #field_docs
        #many
        #[inline(always)]
        #vis fn #ident(#(#params),*) {
            if #ident::TRACEPOINT.is_enabled() {
                #ident::Event::emit(#(#names),*)
            }
        }
    }
}

/// The doc comments of the arguments, as a list: rustdoc has no place for them.
fn field_docs(declaration: &Declaration) -> TokenStream {
    let documented: Vec<&Field> = declaration.fields.iter().filter(|field| !field.docs.is_empty()).collect();
    if documented.is_empty() {
        return TokenStream::new();
    }
    let entries = documented.into_iter().map(|field| {
        let (head, docs) = (format!("- `{}`:", field.ident.unraw()), &field.docs);
        quote!(#[doc = #head] #(#[doc = #docs])*)
    });
    quote!(#[doc = "\n# Fields\n"] #(#entries)*)
}

fn module(declaration: &Declaration) -> TokenStream {
    let Declaration { vis, ident, .. } = declaration;
    let (attrs, deprecation) = (declaration.module_attrs(), declaration.deprecation());
    let odd_name = allow_odd_names([ident]);
    let docs = format!("The state of the tracepoint [`{0}()`](fn@{0}).", ident.unraw());
    quote! {
        #[doc = #docs]
        #(#attrs)*
        #odd_name
        #vis mod #ident {
            #[doc(hidden)]
            #[derive(Clone, Copy, Debug)]
            pub struct Event;

            #[doc(hidden)]
            pub static TRACEPOINT: ::ust::__private::Tracepoint =
                ::ust::__private::Tracepoint::new(<Event as ::ust::__private::Declared>::DESC);

            #[used]
            #[unsafe(link_section = "ust_tracepoints")]
            static ENTRY: &::ust::__private::Tracepoint = &TRACEPOINT;

            /// Tells whether anyone records the event right now.
            #deprecation
            #[inline(always)]
            pub fn enabled() -> bool {
                TRACEPOINT.is_enabled()
            }
        }
    }
}

fn description(declaration: &Declaration, settings: &Settings) -> TokenStream {
    let ident = &declaration.ident;
    let cfgs = declaration.cfgs();
    let Settings { provider: (provider, _), name: (name, _), loglevel, model_emf_uri, class } = settings;
    let (file, line) = position(ident.span());
    let fields = match class {
        Some(class) => quote!(<#class::Class as ::ust::__private::EventClass>::FIELDS),
        None => descriptions(declaration),
    };
    quote! {
        #(#cfgs)*
        impl ::ust::__private::Declared for #ident::Event {
            const DESC: &'static ::ust::__private::TracepointDesc = &::ust::__private::TracepointDesc {
                provider: #provider,
                name: #name,
                loglevel: ::ust::__private::LogLevel::#loglevel,
                model_emf_uri: #model_emf_uri,
                file: #file,
                line: #line,
                module: ::core::module_path!(),
                fields: #fields,
            };
        }
    }
}

/// Where the name was written. `line!()` would give the line of the outermost attribute, which for a
/// provider module is the same for all of its tracepoints.
fn position(span: Span) -> (TokenStream, TokenStream) {
    let (file, line) = (span.unwrap().file(), span.unwrap().line() as u32);
    if file.is_empty() {
        return (quote!(::core::file!()), quote!(::core::line!()));
    }
    (quote!(#file), quote!(#line))
}

fn descriptions(declaration: &Declaration) -> TokenStream {
    let fields = declaration.fields.iter().filter(|field| !field.skip).map(Field::description);
    quote!(&[#(#fields),*])
}

fn emit(declaration: &Declaration) -> TokenStream {
    let Declaration { vis, ident, .. } = declaration;
    let (cfgs, names, params) = (declaration.cfgs(), names_of(declaration), params_of(declaration));
    let (many, odd_names) = (declaration.allow_many_arguments(), allow_odd_names(names_of(declaration)));
    let encode = encode(declaration);
    quote! {
        #(#cfgs)*
        impl #ident::Event {
            #encode

            #[doc(hidden)]
            #many #odd_names
            #[inline(never)]
            #vis fn emit(#(#params),*) {
                Self::encode(&#ident::TRACEPOINT, #(#names),*)
            }
        }
    }
}

fn emit_of_class(declaration: &Declaration, class: &Path) -> TokenStream {
    let Declaration { vis, ident, .. } = declaration;
    let (cfgs, names, params) = (declaration.cfgs(), names_of(declaration), params_of(declaration));
    let (many, odd_names) = (declaration.allow_many_arguments(), allow_odd_names(names.iter().copied()));
    let call = quote_spanned!(ident.span()=> #class::Class::record(&#ident::TRACEPOINT, #(#names),*));
    quote! {
        #(#cfgs)*
        impl #ident::Event {
            #[doc(hidden)]
            #many #odd_names
            #[inline(always)]
            #vis fn emit(#(#params),*) {
                #call
            }
        }
    }
}

fn class(declaration: &Declaration) -> TokenStream {
    let Declaration { vis, ident, .. } = declaration;
    let (cfgs, params) = (declaration.cfgs().collect::<Vec<_>>(), params_of(declaration));
    let attrs = declaration.attrs.iter().filter(|attr| !attr.path().is_ident("inline"));
    let documented = declaration.attrs.iter().any(|attr| attr.path().is_ident("doc"));
    let docs = (!documented).then(|| quote!(#[doc = "A class of events."]));
    let fields = descriptions(declaration);
    let (many, odd_names) = (declaration.allow_many_arguments(), allow_odd_names(names_of(declaration)));
    let tp = fields::hidden("tp");
    let (encode, names) = (encode(declaration), names_of(declaration));
    quote! {
        #docs
        #(#attrs)*
        #vis mod #ident {
            #[doc(hidden)]
            #[derive(Clone, Copy, Debug)]
            pub struct Class;
        }
        #(#cfgs)*
        impl ::ust::__private::EventClass for #ident::Class {
            const FIELDS: &'static [::ust::__private::FieldDesc] = #fields;
        }
        #(#cfgs)*
        impl #ident::Class {
            #encode

            #[doc(hidden)]
            #many #odd_names
            #[inline(never)]
            #vis fn record(#tp: &'static ::ust::__private::Tracepoint, #(#params),*) {
                Self::encode(#tp, #(#names),*)
            }
        }
    }
}

/// The function that computes the computed fields and passes all fields on, in their stored form.
fn encode(declaration: &Declaration) -> TokenStream {
    let Declaration { vis, fields, .. } = declaration;
    let params = params_of(declaration);
    let (many, odd_names) = (declaration.allow_many_arguments(), allow_odd_names(names_of(declaration)));
    let sink = fields::hidden("sink");
    let unused = fields.iter().filter(|field| field.skip).map(|field| &field.ident);
    let wires = |nowrite: bool| {
        fields::group(fields.iter().filter(|field| field.nowrite == nowrite).filter_map(Field::wire).collect())
    };
    let (wires, hidden) = (wires(false), wires(true));
    let take = quote! {
        #(let _ = &#unused;)*
        ::ust::__private::Sink::take(#sink, #wires, #hidden)
    };
    let body = fields.iter().rev().fold(take, |rest, field| field.compute_before(rest));
    quote! {
        #[doc(hidden)]
        #many #odd_names
        #[inline(always)]
        #vis fn encode(#sink: impl ::ust::__private::Sink, #(#params),*) {
            #body
        }
    }
}

/// Names that are not snake case are reported where the user wrote them, not once more for our copies.
fn allow_odd_names<'a>(names: impl IntoIterator<Item = &'a Ident>) -> Option<TokenStream> {
    let odd = names.into_iter().any(|name| name.to_string().contains(char::is_uppercase));
    odd.then(|| quote!(#[allow(non_snake_case)]))
}

fn names_of(declaration: &Declaration) -> Vec<&Ident> {
    declaration.params().map(|field| &field.ident).collect()
}

fn params_of(declaration: &Declaration) -> Vec<TokenStream> {
    declaration.params().map(|Field { attrs, ident, ty, .. }| quote!(#(#attrs)* #ident: #ty)).collect()
}
