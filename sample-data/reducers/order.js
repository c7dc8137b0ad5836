// The state of an order, made of its events.
//
// A reducer says, for each event type, what an event of that type does to the state. Timeglass
// calls it once for each event of a stream, in order, and keeps every state on the way: so you can
// look at an order as it was after any event, and ask which event made which value so.
//
// Name it for a category in `timeglass.toml`, beside the store:
//
//     [reducers]
//     order = "reducers/order.js"
//
// or try it on the command line:
//
//     timeglass state shop.sqlite --stream order-4711 --version 12 --reducer reducers/order.js
//
// It is JavaScript in the dialect of KurrentDB projections: `fromCategory` names the streams it is
// for, `foreachStream` gives each stream a state of its own, and `when` takes the handlers.

fromCategory('order').foreachStream().when({
  // The state before the first event.
  $init() {
    return { status: null, items: {}, total_cents: 0 };
  },

  // A handler is named after its event type. It gets the state `s` and the event `e`; `e.data` is
  // the event's data. What it returns is the new state …
  OrderPlaced(s, e) {
    return {
      customer_id: e.data.customer_id,
      customer_name: e.data.customer_name,
      status: 'placed',
      placed_at: e.data.placed_at,
      currency: e.data.currency,
      items: e.data.items,
      total_cents: total(e.data.items),
      shipping_address: e.data.shipping_address,
      payment: e.data.payment,
    };
  },

  // … and if it returns nothing, the state counts as the handler left it.
  GiftNoteAdded(s, e) {
    s.gift_note = e.data.gift_note;
  },

  GiftNoteRemoved(s, e) {
    delete s.gift_note;
  },

  // Some events hold only what changed. Objects are put together with a spread.
  ShippingAddressCorrected(s, e) {
    s.shipping_address = { ...s.shipping_address, ...e.data.shipping_address };
  },

  PaymentFailed(s, e) {
    s.payment = { ...s.payment, ...e.data.payment };
  },

  OrderPaid(s, e) {
    s.status = 'paid';
    s.payment = { ...s.payment, ...e.data.payment };
    // Paid at last: why it failed before is history. Step back in the timeline to read it.
    delete s.payment.failure;
  },

  OrderPacked(s, e) {
    s.status = 'packed';
    s.parcels = e.data.parcels;
  },

  OrderShipped(s, e) {
    s.status = 'shipped';
    s.shipment = e.data.shipment;
  },

  OrderDelivered(s, e) {
    const { carrier, tracking_number } = s.shipment;
    const { delivered_at, signed_by } = e.data.shipment;
    s.status = 'delivered';
    s.shipment = { carrier, tracking_number, delivered_at, signed_by };
  },

  ReturnRequested(s, e) {
    s.return = e.data.return;
  },

  // Here the reducer knows more than the event says: an article of which nothing is left goes, and
  // the total follows from what remains.
  ReturnReceived(s, e) {
    s.return.status = 'received';
    for (const [sku, count] of Object.entries(s.return.items)) {
      s.items[sku].quantity -= count;
      if (s.items[sku].quantity === 0) delete s.items[sku];
    }
    s.total_cents = total(s.items);
  },

  OrderRefunded(s, e) {
    const isAllBack = Object.keys(s.items).length === 0;
    s.status = isAllBack ? 'refunded' : 'partly_refunded';
    s.refund = e.data.refund;
    s.return.status = 'closed';
    // A line for the log: it is shown with this step.
    log(`${e.streamId}: ${e.data.refund.amount_cents} cents paid back`);
  },

  OrderCancelled(s, e) {
    s.status = 'cancelled';
    s.cancellation = e.data.cancellation;
    s.payment.status = 'voided';
  },
});

// Functions beside the handlers are yours. Keep what must survive an event in the state, not in
// variables out here: only the state is kept with each step.
function total(items) {
  return Object.values(items).reduce((sum, item) => sum + item.quantity * item.price_cents, 0);
}
