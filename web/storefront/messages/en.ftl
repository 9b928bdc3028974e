# What shoppers read. Every language has the same messages; a test compares the files.

## Around every page

skip = Skip to content
shop = Shop
menu = Menu
main-navigation = Main
home = Home
all-pieces = All pieces
new-pieces = New pieces
more = More
your-cart = Your cart
cart = Cart
cart-with = { $count ->
    [one] Cart, { $count } item
   *[other] Cart, { $count } items
}
good-to-know = Good to know first
trial-shop = This is a trial shop: nothing is charged and nothing is sent.
you-are-here = You are here
look-at-these = Have a look at these
items = { $count ->
    [one] { $count } item
   *[other] { $count } items
}
date = { $day } { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
} { $year }
free = Free
delivery-free = { $name } is free
delivery-for = { $name } for { $price }
destinations-more = { $count ->
    [one] { $named } and one more country
   *[other] { $named } and { $count } more countries
}
sold-out = Sold out
sale = Sale
from = From
from-price = { $title }, from { $price }.
at-price = { $title }, { $price }.
see = See { $title }
price-now = Now
price-instead = instead of
quantity = Quantity
subtotal = Subtotal
delivery = Delivery
total = Total
order-summary = Order summary
your-order = Your order
summary = Summary
reduced-pieces = Reduced pieces
delivers-to = We deliver to { $destinations }.
runs-on = Runs on Tradewind
prices-in = Prices in { $currency }
colours = { $count ->
    [one] { $count } colour
   *[other] { $count } colours
}

## Home

see-what-is-new = See what is new
nothing-on-shelves = There is nothing on the shelves yet.
looking-for = What are you looking for?
picked-first = Picked for you to see first
new-on-shelves = New on the shelves
all-new-pieces = All new pieces

## Lists

within = Within { $title }
products = Products
pieces = { $count ->
    [one] { $count } piece
   *[other] { $count } pieces
}
sort-by = Sort by
sort = Sort
sort-featured = Featured
sort-newest = Newest
sort-price-ascending = Price, low to high
sort-price-descending = Price, high to low
sort-title = Name
nothing-on-shelf = Nothing is on this shelf yet.
see-all-pieces = See all pieces
pages = Pages
more-pieces = More pieces
list-at = { $title } at { $shop }.
previous-pieces = Previous pieces
first-pieces = First pieces
filter = Filter
filters-active = { $count } active
filter-in-stock = In stock
filter-reduced = Reduced
filter-price = Price
filter-availability = Availability
filter-between = { $lowest } to { $highest }
filter-at-least = From { $lowest }
filter-at-most = Up to { $highest }
lowest-price = Lowest price in { $currency }
highest-price = Highest price in { $currency }
range-to = to
more-values = { $count } more
apply-filter = Apply
show-result = Show { $result }
active-filters = Active filters
remove-filter = Remove filter
clear-filters = Clear all
nothing-fits-title = Nothing fits all of this
nothing-fits = Take one of the filters away, or begin anew.

## A product

pictures = Pictures
scroll-for-more = Scroll for more pictures
add-to-cart = Add to cart
show-choice = Show price and stock of this choice
one-fewer = One fewer
one-more = One more
to-destinations = To { $destinations }
about-piece = About this piece
size-material-care = Size, material, care
sku = SKU { $sku }
stock-in = In stock
stock-low = Only a few left
not-made = Not made in this combination
not-made-choose = It is not made in this combination. Choose another.
not-made-in = Not made in { $others }
sold-out-in = Sold out in { $others }
quantity-range = Choose a quantity from 1 to { $most }.
only-left-with-cart = Only { $count } left, counting what is in your cart already. Choose fewer.
choice-sold-out = This choice is sold out. Choose another.
choice-not-sold = We do not sell this choice any more. Choose another.
cart-being-paid = The cart is being paid for right now. Wait until that has ended, then add more.
not-added = It was not put into the cart. Please try again.
not-made-brief = Not made

## The cart

is-in-cart = { $title } is in your cart.
cart-completing = This cart is being paid for right now.
see-payment = See how the payment stands
cart-blocked = Something changed since you put it in. Have a look at the lines marked below; everything else is as you left it.
cart-items = Items
each = { $price } each
set-quantity = Set the quantity
one-fewer-of = One fewer of { $title }
one-more-of = One more of { $title }
quantity-of = Quantity of { $title }
take = Take { $count }
remove = Remove
keep-looking = Keep looking around
go-to-checkout = Go to checkout
mend-first = Mend the marked lines first.
no-account = You order and pay on the next page, without an account.
cart-empty = Your cart is empty. Here is something to begin with.
price-changed = This was { $was } when you added it. It is { $now } now.
only-left = Only { $count } left.
sold-out-since = Sold out since you added it. Take it out to go on.
no-longer-sold = We no longer sell this. Take it out to go on.
quantity-kept-only = Your quantity was not changed. There are { $count }.
quantity-kept = Your quantity was not changed. There are not as many.
line-kept = This was not changed. Please try again.
close-cart = Close cart
view-cart = View cart
cart-is-empty = Your cart is empty.
cart-now = { $items } in your cart, { $subtotal }.

## Checkout

checkout = Checkout
back-to-cart = Back to cart
optional = { $label } (optional)
country = Country
full-name = First and last name
company = Company
street = Street and number
extra = Flat, floor, care of
postcode = Postcode
city = City
region = State or province
phone = Phone
email = E-mail
keep-what-is-there = Keep what is there
things-to-mend = { $count ->
    [one] One thing needs a look:
   *[other] { $count } things need a look:
}
nothing-lost = Nothing else was lost.
order-button = Order
contact = Contact
email-hint = To reach you about this order, and for nothing else.
delivery-address = Delivery address
phone-hint = Only for the courier, only if they cannot find you.
payment = Payment
test-card = Test card
no-real-card = No real card is asked for or taken here.
no-way-to-pay = No way to pay is set up here yet. Your cart is kept; please come back later.
billing-same = Billing address is the same
billing-address = Billing address
review = Review
review-text = { $items } for { $subtotal }, { $name } { $delivery }. The total of { $total } is all you pay.
order-and-pay = Order and pay { $total }
field-country = country
field-name = name
field-company = company
field-street = street
field-extra = address line
field-postcode = postcode
field-city = city
field-region = state or province
field-phone = phone number
field-email = e-mail address
field-payment = payment
field-test_card = test card
field-of-billing = { $name } of the billing address
hint-email = Enter an e-mail address such as name@example.com.
hint-country = Choose a country we deliver to.
hint-name = Enter your first and last name.
hint-street = Enter the street and the number.
hint-city = Enter the town or city.
hint-payment = Choose how you would like to pay.
hint-test_card = Choose one of the test cards.
hint-other = This does not fit here. Have another look at it.
hint-postcode = Postcodes of this country have { $digits ->
    [4] four
   *[5] five
} digits, such as { $example }.
order-changed-title = Have another look at your order
order-changed-total = The total is { $now } now; it was { $was } when you saw it. Nothing was ordered yet.
order-changed = Your cart has changed. Nothing was ordered yet.
order-short-title = Not everything is there any more
order-short = Someone was faster: there are fewer than your cart asks for. Nothing was ordered yet.
order-refused-title = This could not be ordered
order-refused = Nothing was ordered. Have a look at your cart and try again.
order-unknown-title = We did not hear back in time
order-unknown = Your order may already be in. Send the form once more: it counts once, and you are charged once.
payment-declined-title = The payment was declined
payment-declined = Nothing was charged. Try another card or another way to pay.
payment-canceled-title = The payment was canceled
payment-canceled = Nothing was charged. The cart is as it was.
payment-expired-title = The payment was not confirmed in time
payment-expired = Nothing was charged. The cart is as it was.
method-manual = Bank transfer
method-manual-text = We send your order once the transfer has arrived.
method-sandbox = Test card
method-sandbox-text = For trials only: choose a test card. No money moves, and real cards are refused.
card-0000000000001000 = Approved at once
card-0000000000002001 = Declined: the bank says no
card-0000000000002002 = Declined: not enough money
card-0000000000002003 = Declined: card has expired
card-0000000000003000 = Asks for a second step
card-0000000000004000 = No answer in time, approved later
card-0000000000004001 = The request never arrives
card-0000000000005000 = Approved after two seconds
card-0000000000005001 = Declined after two seconds
card-0000000000006000 = Approved, and said twice again
card-0000000000007000 = Approved; captures not answered
card-0000000000008000 = Approved; captures are refused
payment-working-title = Your payment is being confirmed
payment-working = This usually takes a few seconds. The page looks again by itself and shows your order as soon as it is in. You are charged once, also if you reload.
payment-unconfirmed-title = Your payment is not confirmed yet
payment-unconfirmed = One step is left on the payment page. Nothing is charged until you confirm there.
go-on-to-payment = Go on to the payment page
confirmed-look-again = I have confirmed, look again
look-again = Look again

## An order

thank-you = Thank you
thank-you-name = Thank you, { $name }
order-is-in = Order { $number } is in.
order-kept = This browser keeps the way to your order for 60 days.
see-your-order = See your order
back-to-shop = Back to the shop
order-number = Order { $number }
made-on = Made on { $date }.
going-to = Going to
billed-to = Billed to
quantity-is = Quantity { $count }
status-canceled = Canceled
status-waiting = Waiting for the payment
status-paid = Paid
status-partly-paid = Partly paid
status-authorized = Payment confirmed
status-partly-refunded = Partly refunded
status-refunded = Refunded
status-voided = Payment released
status-pending = Payment to come
order-progress = How far it has come
step-ordered = Ordered
step-confirmed = Payment confirmed
order-canceled = It was canceled by the shop.
nothing-to-pay = There is nothing to pay.

## When something is not there

go-home = Go to the home page
error-not-found-title = This shelf is empty
error-not-found = The page has moved or never was. The rest of the shop is where you left it.
error-elsewhere-title = This came from somewhere else
error-elsewhere = The form was not sent from a page of this shop, so nothing was done. Open the page again and send it from there.
error-method-title = That does not work here
error-method = This address takes no such request. Nothing was done.
error-unread-title = This could not be read
error-unread = The request was not of a form we know. Nothing was done.
error-internal-title = Something failed on our side
error-internal = It is written down and will be looked at. Your cart is safe; please try again.
error-away-title = Back in a moment
error-away = A part of the shop is not reachable right now. Your cart is safe. Reload this page in a few seconds; a form you sent is sent again and counts once.
try-again = Try again
closed-title = We will be back shortly
closed = The shop is being worked on and is closed for a short while. Your cart is kept. This page looks by itself whether we are open again.
