//! stub
pub(crate) mod applications {
    use crate::{answer::Answer, call::Call, fault::Fault};
    pub(crate) async fn create(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn get(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn list(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn update(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn delete(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
}
pub(crate) mod environments {
    use crate::{answer::Answer, call::Call, fault::Fault};
    pub(crate) async fn create(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn get(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn list(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn update(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn delete(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
}
pub(crate) mod configuration_profiles {
    use crate::{answer::Answer, call::Call, fault::Fault};
    pub(crate) async fn create(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn get(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn list(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn update(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn delete(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn validate(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
}
pub(crate) mod hosted_versions {
    use crate::{answer::Answer, call::Call, fault::Fault};
    pub(crate) async fn create(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn get(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn list(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn delete(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
}
pub(crate) mod deployment_strategies {
    use crate::{answer::Answer, call::Call, fault::Fault};
    pub(crate) async fn create(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn get(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn list(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn update(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn delete(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
}
pub(crate) mod deployments {
    use crate::{answer::Answer, call::Call, fault::Fault};
    pub(crate) async fn start(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn get(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn list(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn stop(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
}
pub(crate) mod tags {
    use crate::{answer::Answer, call::Call, fault::Fault};
    pub(crate) async fn tag(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn untag(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn list(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
}
pub(crate) mod settings {
    use crate::{answer::Answer, call::Call, fault::Fault};
    pub(crate) async fn get(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
    pub(crate) async fn update(_: Call) -> Result<Answer, Fault> {
        Ok(Answer::empty())
    }
}
