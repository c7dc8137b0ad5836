-- Orders as they stand, and what was ordered on each day.
--
-- The store tells event versions apart by a suffix of the type: both forms of OrderCreatedEvent are handled.

-- @projection order_projections key: order_id
CREATE TABLE order_projections (
    order_id VARCHAR(255) PRIMARY KEY,
    user_id VARCHAR(255),
    total NUMERIC,
    status VARCHAR(20),
    created_at TIMESTAMP,
    shipped_at TIMESTAMP,
    tracking_number VARCHAR(64),
    cancelled_at TIMESTAMP
);

-- @on OrderCreatedEvent, OrderCreatedEventV2
INSERT INTO order_projections (order_id, user_id, total, status, created_at)
VALUES (:data ->> 'orderId', :data ->> 'userId', :data ->> 'total', 'pending', :time);

-- @on OrderShippedEvent
UPDATE order_projections
SET status = 'shipped', shipped_at = :time, tracking_number = :data ->> 'trackingNumber'
WHERE order_id = :data ->> 'orderId';

-- @on OrderCancelledEvent
UPDATE order_projections SET status = 'cancelled', cancelled_at = :time WHERE order_id = :data ->> 'orderId';

-- @projection daily_order_stats key: date
CREATE TABLE daily_order_stats (date DATE PRIMARY KEY, order_count INTEGER NOT NULL, revenue NUMERIC NOT NULL);

-- @on OrderCreatedEvent, OrderCreatedEventV2
INSERT INTO daily_order_stats (date, order_count, revenue)
VALUES (date(:time), 1, :data ->> 'total')
ON CONFLICT (date) DO UPDATE
SET order_count = order_count + 1, revenue = revenue + excluded.revenue;
