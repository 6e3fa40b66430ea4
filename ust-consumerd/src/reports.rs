// SPDX-License-Identifier: MIT OR Apache-2.0
//! What is told of sessions and processes.

use ust_shm::decode::{Field, FieldType};
use ust_shm::descriptor::Scalar;

use crate::config::RuleConfig;
use crate::control::protocol::{AppReport, FieldReport, SessionReport, TracepointReport};
use crate::filters::{self, FilterProblem};
use crate::hub::Hub;
use crate::image::Image;
use crate::session::Session;
use crate::summary::text;

impl Hub {
    /// Tells of a session.
    pub(crate) fn session_report(&self, session: &Session, current: Option<&str>) -> SessionReport {
        let left = self.apps.images.iter().filter(|image| image.kept && image.views.contains_key(&session.id));
        let tracepoints = || self.apps.images.iter().filter(|image| !image.kept).flat_map(|image| image.table.values());
        let problem = |rule: &RuleConfig| match filters::check(rule, tracepoints(), false) {
            Err(FilterProblem::Wrong(error)) => Some((rule.clone(), error.to_string())),
            // The doctor says of any rule that there is no such event.
            Err(FilterProblem::Unknown) | Ok(()) => None,
        };
        SessionReport {
            filter_problems: session.config.rules.iter().filter(|rule| rule.enabled).filter_map(problem).collect(),
            config: session.config.clone(),
            active: session.started,
            current: current == Some(&session.config.name),
            trace: session.trace.as_ref().map(|trace| trace.dir().to_owned()),
            progress: self.progress(session.id),
            losses: session.tally.losses,
            warnings: session.tally.warnings().to_vec(),
            last_chunk: session.chunk.last.clone(),
            left_behind: left
                .map(|image| format!("{} ({})", text(&image.identity.procname), image.identity.pid))
                .collect(),
        }
    }

    /// Tells of all processes, the images of one process as one.
    pub(crate) fn app_reports(&mut self, fields: bool) -> Vec<AppReport> {
        let rules_of = |image: &Image| image.wanted;
        let mut apps: Vec<((i32, u64), AppReport)> = Vec::new();
        let rules = self.apps.rules();
        for image in &self.apps.images {
            let identity = image.identity;
            let key = (identity.pid, identity.exec_id);
            let tracepoints = image.table.values().map(|t| TracepointReport {
                name: format!("{}:{}", t.provider, t.name),
                loglevel: t.loglevel,
                enabled: rules_of(image) & rules.slots_for((&t.provider, &t.name, t.loglevel)).0 != 0,
                fields: if fields { t.fields.iter().map(field_report).collect() } else { Vec::new() },
            });
            if let Some((_, app)) = apps.iter_mut().find(|(other, _)| *other == key) {
                app.tracepoints.extend(tracepoints);
                continue;
            }
            let (uid, gid) = image.user;
            apps.push((
                key,
                AppReport {
                    pid: identity.pid,
                    name: text(&identity.procname),
                    exe: image.exe.clone(),
                    uid,
                    gid,
                    running: !image.kept,
                    own_trace: identity.own_trace,
                    tracepoints: tracepoints.collect(),
                },
            ));
        }
        let mut apps: Vec<AppReport> = apps.into_iter().map(|(_, app)| app).collect();
        apps.sort_by_key(|app| app.pid);
        apps.iter_mut().for_each(|app| app.tracepoints.sort());
        apps
    }
}

fn field_report(field: &Field) -> FieldReport {
    let kind = match &field.ty {
        FieldType::Scalar(scalar) => scalar_text(*scalar),
        FieldType::String => "string".to_owned(),
        FieldType::Array { text: true, len, .. } => format!("text of {len} bytes"),
        FieldType::Array { element, len, .. } => format!("array of {len} {}", scalar_text(*element)),
        FieldType::Sequence { text: true, .. } => "text".to_owned(),
        FieldType::Sequence { element, .. } => format!("sequence of {}", scalar_text(*element)),
        FieldType::Enumeration { name, .. } => format!("enum {name}"),
        FieldType::Optional(scalar) => format!("optional {}", scalar_text(*scalar)),
    };
    FieldReport { name: field.name.clone(), kind, nowrite: field.nowrite }
}

fn scalar_text(scalar: Scalar) -> String {
    match scalar {
        Scalar::Integer(integer) if integer.signed => format!("i{}", integer.bits),
        Scalar::Integer(integer) => format!("u{}", integer.bits),
        Scalar::Float { bits } => format!("f{bits}"),
    }
}
