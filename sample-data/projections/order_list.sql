-- A list of orders for a table on screen: what it cost, how many lines it had when it was placed, whether it
-- was shipped.
--
-- Items that are added or removed later, and cancellations, change nothing here.

-- @projection order_list key: order_id
CREATE TABLE order_list (
    order_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    total_cents INTEGER NOT NULL,
    item_count INTEGER NOT NULL,
    status TEXT NOT NULL,
    placed_at TIMESTAMPTZ NOT NULL,
    shipped_at TIMESTAMPTZ
);

-- @on OrderPlaced
INSERT INTO order_list (order_id, customer_id, total_cents, item_count, status, placed_at)
VALUES (
    :stream_id, :data ->> 'customer_id', :data ->> 'total_cents',
    json_array_length(:data, '$.items'), 'placed', :time
);

-- @on OrderShipped
UPDATE order_list SET status = 'shipped', shipped_at = :time WHERE order_id = :stream_id;
