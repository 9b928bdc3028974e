//! What must always hold of the stock.

use db::check::Check;

use crate::store::checks;

/// The invariants of this schema, each looked at from outside the code that keeps it.
#[must_use]
pub fn checks() -> Vec<Check> {
    vec![
        Check {
            name: "inventory.oversold",
            rule: "No unit is promised twice: no more is reserved than is on hand",
            remedy: "Count the shelf and adjust the level (Inventory, reason `counted`), or cancel an order that cannot be delivered.",
            look: |conn, place| Box::pin(checks::oversold(conn, place)),
        },
        Check {
            name: "inventory.levels",
            rule: "Every level is what its movements sum up to",
            remedy: "Somebody has written to inventory.level or inventory.movement by hand. Count the shelf; then bring the level back to the sum of its movements and book the difference as an adjustment.",
            look: |conn, place| Box::pin(checks::levels(conn, place)),
        },
        Check {
            name: "inventory.reservations",
            rule: "What is reserved is what open holds take",
            remedy: "See which orders the holds belong to. What no hold takes was reserved for nothing: bring inventory.level.reserved back to the sum of its holds.",
            look: |conn, place| Box::pin(checks::reservations(conn, place)),
        },
        Check {
            name: "inventory.holds",
            rule: "Every hold is what its movements say",
            remedy: "Somebody has written to inventory.hold or its lines by hand. The movements are right: they were written with the level.",
            look: |conn, place| Box::pin(checks::holds(conn, place)),
        },
        Check {
            name: "inventory.bands",
            rule: "The band told of a variant is the one its stock is in",
            remedy: "Adjust the level of the variant once by nothing (reason `counted`): the band is reckoned and told anew.",
            look: |conn, place| Box::pin(checks::bands(conn, place)),
        },
    ]
}
