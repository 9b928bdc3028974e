use kernel::Token;
use service::{Authenticator, BoxFuture, Failure, Permission, Principal};
use uuid::Uuid;

/// Lets staff in by a pass, for tests of services that are not `identity`.
#[derive(Debug, Clone)]
pub struct StaffPass {
    everything: Token,
    view_only: Token,
}

impl Default for StaffPass {
    fn default() -> Self {
        Self { everything: Token::generate(), view_only: Token::generate() }
    }
}

impl StaffPass {
    /// The bearer token of somebody who may do everything.
    #[must_use]
    pub fn everything(&self) -> &Token {
        &self.everything
    }

    /// The bearer token of somebody who may look only.
    #[must_use]
    pub fn view_only(&self) -> &Token {
        &self.view_only
    }
}

impl Authenticator for StaffPass {
    fn authenticate<'a>(&'a self, token: &'a Token) -> BoxFuture<'a, Result<Option<Principal>, Failure>> {
        let all = [Permission::View, Permission::EditCatalog, Permission::EditStock, Permission::HandleOrders, Permission::ReplayJobs, Permission::ManageStaff];
        let permissions = if *token == self.everything {
            Some(all.to_vec())
        } else if *token == self.view_only {
            Some(vec![Permission::View])
        } else {
            None
        };
        let principal = permissions.map(|permissions| Principal { id: Uuid::nil(), name: "Test".to_owned(), session_id: Uuid::nil(), permissions });
        Box::pin(std::future::ready(Ok(principal)))
    }
}
