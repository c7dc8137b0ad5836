-- One row an order: whose it is, how it stands, how many items were added.
--
-- The items that OrderCreated itself names are not counted, and no event changes total_amount: a read model
-- shows what its projection does, not what its columns are called.

-- @projection order_summaries key: order_id category: Order
CREATE TABLE order_summaries (
    order_id TEXT PRIMARY KEY,
    customer_id TEXT NOT NULL,
    status TEXT NOT NULL,
    total_items INTEGER NOT NULL DEFAULT 0,
    total_amount NUMERIC(15, 2) NOT NULL DEFAULT 0,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

-- @on OrderCreated
INSERT INTO order_summaries (order_id, customer_id, status, created_at, updated_at)
VALUES (:stream_id, :data ->> 'customer_id', 'created', :time, :time);

-- @on ItemAdded
UPDATE order_summaries
SET total_items = total_items + (:data ->> 'quantity'), updated_at = :time
WHERE order_id = :stream_id;

-- @on OrderSubmitted
UPDATE order_summaries SET status = 'submitted', updated_at = :time WHERE order_id = :stream_id;

-- @on OrderCancelled
UPDATE order_summaries SET status = 'cancelled', updated_at = :time WHERE order_id = :stream_id;
