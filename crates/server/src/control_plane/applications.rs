//! Applications.

use super::described;
use super::pages::{List, PageRequest};
use crate::answer::Answer;
use crate::arguments::Arguments;
use crate::call::Call;
use crate::fault::Fault;
use crate::refusal::OrFault;
use yardarm_domain::{Application, ApplicationId, CreateApplication, DeleteApplication, UpdateApplication};
use yardarm_node::View;
use yardarm_wire::applications as wire;

pub(crate) async fn create(call: Call) -> Result<Answer, Fault> {
    let body: wire::CreateApplicationRequest = call.json()?;
    let mut arguments = Arguments::default();
    let name = arguments.required("Name", body.name.as_deref());
    let description = arguments.optional("Description", body.description.as_deref());
    let tags = arguments.tags(body.tags);
    let (name, description, tags) = arguments.finish((name, description, tags))?;
    let command = CreateApplication { name, description, tags };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    changed(&call, &committed.view, &committed.outcome, body.description.as_deref())
}

pub(crate) async fn get(call: Call) -> Result<Answer, Fault> {
    let view = call.node.view();
    Answer::json(&application_body(named(&call, &view)?))
}

pub(crate) async fn list(call: Call) -> Result<Answer, Fault> {
    let mut arguments = Arguments::default();
    let page = PageRequest::read(&mut arguments, &call);
    let place = arguments.finish(page)?.of(List::Applications)?;
    let view = call.node.view();
    let applications = view.world.applications().values();
    Answer::json(&place.sorted(applications.map(|found| (found.ordinal, &**found)), application_body))
}

pub(crate) async fn update(call: Call) -> Result<Answer, Fault> {
    let body: wire::UpdateApplicationRequest = call.json()?;
    let mut arguments = Arguments::default();
    let name = arguments.optional("Name", body.name.as_deref());
    let description = arguments.optional("Description", body.description.as_deref());
    let (name, description) = arguments.finish((name, description))?;
    let application = named(&call, &call.node.view())?.id.clone();
    let command = UpdateApplication { application: application.clone(), name, description };
    let committed = call.node.execute(command, call.cause()).await.or_fault(&call)?;
    changed(&call, &committed.view, &application, body.description.as_deref())
}

pub(crate) async fn delete(call: Call) -> Result<Answer, Fault> {
    let application = named(&call, &call.node.view())?.id.clone();
    call.node.execute(DeleteApplication { application }, call.cause()).await.or_fault(&call)?;
    Ok(Answer::empty())
}

/// The application that the path names.
pub(super) fn named<'v>(call: &Call, view: &'v View) -> Result<&'v Application, Fault> {
    view.world.find_application(call.label("ApplicationId")).or_fault(call)
}

/// The answer to a change.
fn changed(call: &Call, view: &View, id: &ApplicationId, description: Option<&str>) -> Result<Answer, Fault> {
    let application = view.world.application(id).or_fault(call)?;
    let description = described(application.description.as_ref(), description);
    Answer::json(&wire::Application { description, ..application_body(application) })
}

fn application_body(application: &Application) -> wire::Application {
    wire::Application {
        id: application.id.to_string(),
        name: application.name.to_string(),
        description: application.description.as_ref().map(ToString::to_string),
    }
}
