//! stub
use crate::fault::Fault;
impl From<yardarm_node::Error> for Fault {
    fn from(e: yardarm_node::Error) -> Self {
        Fault::internal(e)
    }
}
