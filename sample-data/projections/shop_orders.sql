-- The read model of `shop.sqlite` and `damaged.sqlite`: an order's customer, status, items and total.
--
-- Every event of an order carries what it changes, as a merge patch. The items are kept in a column of their
-- own, which the shop's table has not, so that what is left after a return can be counted.

-- @projection order_summaries key: order_id category: order
CREATE TABLE order_summaries (
    order_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    customer_name TEXT NOT NULL,
    status TEXT NOT NULL,
    item_count INTEGER NOT NULL,
    total_cents INTEGER NOT NULL,
    placed_at TEXT NOT NULL,
    updated_at TEXT NOT NULL,
    items TEXT NOT NULL
);

-- @on OrderPlaced
INSERT INTO order_summaries
    (order_id, customer_id, customer_name, status, item_count, total_cents, placed_at, updated_at, items)
VALUES (
    :stream, :data ->> 'customer_id', :data ->> 'customer_name', :data ->> 'status',
    (SELECT total(value ->> 'quantity') FROM json_each(:data, '$.items')),
    :data ->> 'total_cents', :data ->> 'placed_at', :time, :data -> 'items'
);

-- @on OrderPaid, PaymentFailed, OrderPacked, OrderShipped, OrderDelivered, OrderCancelled, OrderRefunded
UPDATE order_summaries
SET status = coalesce(:data ->> 'status', status), updated_at = :time
WHERE order_id = :stream;

-- @on GiftNoteAdded, GiftNoteRemoved, ShippingAddressCorrected, ReturnRequested
UPDATE order_summaries SET updated_at = :time WHERE order_id = :stream;

-- @on ReturnReceived
UPDATE order_summaries
SET items = json_patch(items, :data -> 'items'),
    total_cents = :data ->> 'total_cents',
    updated_at = :time
WHERE order_id = :stream;
UPDATE order_summaries
SET item_count = (SELECT total(value ->> 'quantity') FROM json_each(items))
WHERE order_id = :stream;
