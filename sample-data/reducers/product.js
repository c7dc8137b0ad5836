// The state of a product. `order.js` beside this file explains how a reducer is written.

fromCategory('product').foreachStream().when({
  ProductAdded(s, e) {
    return e.data;
  },

  PriceChanged(s, e) {
    s.price_cents = e.data.price_cents;
  },

  // These events say how much there is afterwards, not how much came or went.
  StockReceived(s, e) {
    s.stock = e.data.stock;
  },

  StockReserved(s, e) {
    s.stock = e.data.stock;
    s.last_order = e.data.last_order;
  },

  ProductDiscontinued(s, e) {
    s.status = 'discontinued';
    delete s.price_cents;
  },
});
