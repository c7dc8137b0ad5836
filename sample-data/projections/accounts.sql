-- Balances and activity of accounts, orders and how many a user placed: five read models of one store.
--
-- user_activity has no key: the same user may withdraw the same amount twice in one second. processed_events
-- is how a handler that must not run twice remembers what it handled.

-- @projection users_balance key: user_id
CREATE TABLE users_balance (user_id VARCHAR(36) PRIMARY KEY, balance NUMERIC, last_updated TIMESTAMP);

-- @on AccountCreated
INSERT INTO users_balance (user_id, balance, last_updated)
VALUES (:stream_id, :data ->> 'initial_balance', :time);

-- @on FundsDeposited
INSERT INTO users_balance (user_id, balance, last_updated)
VALUES (:stream_id, :data ->> 'amount', :time)
ON CONFLICT (user_id) DO UPDATE
SET balance = balance + excluded.balance, last_updated = excluded.last_updated;

-- @on FundsWithdrawn
UPDATE users_balance
SET balance = balance - (:data ->> 'amount'), last_updated = :time
WHERE user_id = :stream_id;

-- @projection user_activity
CREATE TABLE user_activity (
    user_id VARCHAR(36),
    activity_type VARCHAR(50),
    amount NUMERIC,
    timestamp TIMESTAMP
);

-- @on FundsDeposited
INSERT INTO user_activity (user_id, activity_type, amount, timestamp)
VALUES (:stream_id, 'deposit', :data ->> 'amount', :time);

-- @on FundsWithdrawn
INSERT INTO user_activity (user_id, activity_type, amount, timestamp)
VALUES (:stream_id, 'withdrawal', :data ->> 'amount', :time);

-- @projection orders_view key: order_id
CREATE TABLE orders_view (
    order_id VARCHAR(36) PRIMARY KEY,
    user_id VARCHAR(36),
    items JSONB,
    status VARCHAR(20),
    created_at TIMESTAMP
);

-- @on OrderPlaced
INSERT INTO orders_view (order_id, user_id, items, status, created_at)
VALUES (:data ->> 'order_id', :data ->> 'user_id', :data -> 'items', 'pending', :time);

-- @projection user_stats key: user_id
CREATE TABLE user_stats (user_id VARCHAR(36) PRIMARY KEY, total_orders INT);

-- @on OrderPlaced
INSERT INTO user_stats (user_id, total_orders) VALUES (:data ->> 'user_id', 1)
ON CONFLICT (user_id) DO UPDATE SET total_orders = total_orders + 1;

-- @projection processed_events key: event_id
CREATE TABLE processed_events (event_id INTEGER PRIMARY KEY);

-- @on OrderPlaced
INSERT INTO processed_events (event_id) VALUES (:position);
