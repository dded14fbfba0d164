//! Deletion of an application with everything in it.

use super::json;
use crate::arguments::Arguments;
use crate::call::Call;
use crate::control_plane::deletion_protection_check;
use crate::fault::Fault;
use crate::refusal::OrFault;
use axum::response::Response;
use http::StatusCode;
use yardarm_domain::{CascadeDeleteApplication, DeleteApplication, Removed};
use yardarm_wire::native::{DeletedApplication, RemovedCounts};

pub(super) async fn delete(call: Call) -> Result<Response, Fault> {
    let view = call.node.view();
    let found = view.world.find_application(call.label("application")).or_fault(&call)?;
    let (application, name) = (found.id.clone(), found.name.to_string());
    let cascade = match call.query("cascade").as_deref() {
        Some("true") => true,
        None | Some("false") => false,
        Some(other) => return Err(Fault::bad_request(format!("cascade is true or false, not `{other}`"))),
    };
    let removed = if cascade {
        let mut arguments = Arguments::default();
        let check = deletion_protection_check(&mut arguments, &call);
        let check = arguments.finish(check)?;
        let reads =
            call.node.last_reads(|address| address.ids().is_some_and(|(app, _, _)| app == application));
        let last_reads = reads
            .into_iter()
            .filter_map(|(address, at)| address.ids().map(|(_, env, _)| (env, at)))
            .collect();
        let command = CascadeDeleteApplication { application: application.clone(), check, last_reads };
        call.node.execute(command, call.cause()).await.or_fault(&call)?.outcome
    } else {
        call.node
            .execute(DeleteApplication { application: application.clone() }, call.cause())
            .await
            .or_fault(&call)?;
        Removed { environments: 0, profiles: 0, versions: 0, deployments: 0, associations: 0 }
    };
    let removed = RemovedCounts {
        environments: removed.environments as u64,
        configuration_profiles: removed.profiles as u64,
        hosted_configuration_versions: removed.versions as u64,
        deployments: removed.deployments as u64,
        extension_associations: removed.associations as u64,
    };
    json(StatusCode::OK, &DeletedApplication { application_id: application.to_string(), name, removed })
}
