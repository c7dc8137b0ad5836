// The state of a cart. `order.js` beside this file explains how a reducer is written.

fromCategory('cart').foreachStream().when({
  CartOpened(s, e) {
    return { customer_id: e.data.customer_id, status: 'open', items: {}, total_cents: 0 };
  },

  ItemAdded(s, e) {
    Object.assign(s.items, e.data.items);
    s.total_cents = total(s.items);
  },

  QuantityChanged(s, e) {
    for (const [sku, { quantity }] of Object.entries(e.data.items)) s.items[sku].quantity = quantity;
    s.total_cents = total(s.items);
  },

  ItemRemoved(s, e) {
    for (const sku of Object.keys(e.data.items)) delete s.items[sku];
    s.total_cents = total(s.items);
  },

  CartCheckedOut(s, e) {
    s.status = 'checked_out';
    s.order_id = e.data.order_id;
  },

  CartAbandoned(s, e) {
    s.status = 'abandoned';
  },
});

function total(items) {
  return Object.values(items).reduce((sum, item) => sum + item.quantity * item.price_cents, 0);
}
