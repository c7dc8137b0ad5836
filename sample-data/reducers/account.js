// Store credit of one customer. `order.js` beside this file explains how a reducer is written.

fromCategory('account').foreachStream().when({
  AccountOpened(s, e) {
    return { ...e.data, balance_cents: 0, earned_cents: 0 };
  },

  // The balance is added up here rather than taken from the event. If the two ever parted, the
  // stored snapshots would show it.
  CreditEarned(s, e) {
    s.balance_cents += e.data.last_entry.amount_cents;
    s.earned_cents += e.data.last_entry.amount_cents;
    s.last_entry = e.data.last_entry;
  },

  CreditSpent(s, e) {
    s.balance_cents += e.data.last_entry.amount_cents;
    s.last_entry = e.data.last_entry;
  },
});
