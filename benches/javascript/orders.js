fromCategory("order")
  .foreachStream()
  .when({
    $init: function () { return { status: "new", lines: [], total: 0, discount: 0, events: 0 }; },
    OrderPlaced: function (s, e) {
      s.customer = e.data.customer;
      s.placedAt = e.created;
      s.status = "placed";
      e.data.lines.forEach(function (l) { add(s, l); });
      return touch(s);
    },
    LineAdded: function (s, e) { add(s, e.data); return touch(s); },
    LineRemoved: function (s, e) {
      s.lines = s.lines.filter(function (l) { return l.sku !== e.data.sku; });
      return touch(s);
    },
    DiscountApplied: function (s, e) { s.discount = e.data.percent; return touch(s); },
    OrderPaid: function (s, e) {
      s.status = e.data.cents >= s.total ? "paid" : "underpaid";
      s.paid = e.data.cents;
      return touch(s);
    },
    OrderShipped: function (s, e) {
      s.status = "shipped";
      s.carrier = e.data.carrier;
      emit("shipped-orders", "OrderShippedNotice",
        { order: e.streamId, customer: s.customer, total: s.total, lines: s.lines.length },
        { "$causationId": e.eventId, "$correlationId": e.metadata ? e.metadata["$correlationId"] : null });
      linkTo("customer-" + s.customer, e);
      return touch(s);
    }
  });

function add(s, line) {
  var found = s.lines.find(function (l) { return l.sku === line.sku; });
  if (found) found.quantity += line.quantity;
  else s.lines.push({ sku: line.sku, quantity: line.quantity, price: line.price });
}

function touch(s) {
  var sum = s.lines.reduce(function (t, l) { return t + l.quantity * l.price; }, 0);
  s.total = Math.round(sum * (100 - s.discount) / 100);
  s.events += 1;
  return s;
}
