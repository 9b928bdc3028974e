//! What must hold between services. Each knows only its own tables; here their ids are followed from one to the other, all of a batch on one
//! snapshot, so what two of them have not yet agreed on is under way, not wrong, only where a job says so.

mod bands;
mod purchases;
mod sales;

use db::check::Check;

/// The invariants that no service can look after alone.
pub(crate) fn checks() -> Vec<Check> {
    vec![
        Check {
            name: "shop.sales",
            rule: "Every order agrees with its payment, its stock and the ledger",
            remedy: "Look the order up in the back office and its payment at the provider. What the shopper was told and the provider did is right; mend the other side, and keep what you did as a comment on the order.",
            look: |conn, place| Box::pin(sales::orders(conn, place)),
        },
        Check {
            name: "shop.completions",
            rule: "Every purchase that was begun has its order, its payment and its cart, and they stand where it stands",
            remedy: "Purchase, order and cart move in one transaction: somebody has written to one of them by hand. Bring it back in line with the order.",
            look: |conn, place| Box::pin(purchases::completions(conn, place)),
        },
        Check {
            name: "shop.carts",
            rule: "A cart is closed for changes only by a purchase, and completed only by a sale",
            remedy: "The shopper cannot go on with such a cart: set it back to `active`, unless it has been bought.",
            look: |conn, place| Box::pin(purchases::carts(conn, place)),
        },
        Check {
            name: "shop.holds",
            rule: "Stock is held only for an order",
            remedy: "Nobody will ever take these units: release the hold (state `released`, with movements that give back what it took).",
            look: |conn, place| Box::pin(sales::holds(conn, place)),
        },
        Check {
            name: "shop.payments",
            rule: "Money is asked for only for an order",
            remedy: "An order was lost: look the payment up at the provider, void or refund it, and write to the shopper.",
            look: |conn, place| Box::pin(sales::attempts(conn, place)),
        },
        Check {
            name: "shop.ledger",
            rule: "Every transaction of the ledger belongs to an order",
            remedy: "An order was lost: take it from the last backup.",
            look: |conn, place| Box::pin(sales::ledger(conn, place)),
        },
        Check {
            name: "shop.stock_bands",
            rule: "The catalogue shows the stock bands that were told, once the queue is empty",
            remedy: "See whether a `catalog.project_stock_band` job is dead, and replay it.",
            look: |conn, place| Box::pin(bands::bands(conn, place)),
        },
    ]
}
