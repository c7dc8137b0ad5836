fromCategory("account").foreachStream().when({
  $init: () => ({
    owner: null, status: "new", balance: 0, limits: {}, fees: 0, largest: 0,
    deposits: 0, withdrawals: 0, transfers: 0, byChannel: {}, last: null, recent: [],
  }),
  AccountOpened(s, e) {
    s.owner = e.data.owner;
    s.limits = e.data.limits;
    s.balance = e.data.balance;
    s.status = "open";
  },
  MoneyDeposited(s, e) {
    s.balance += e.data.amount;
    s.deposits += 1;
    s.last = e.data.transaction;
    if (e.data.amount > s.largest) s.largest = e.data.amount;
  },
  MoneyWithdrawn(s, e) {
    const { amount, fee, channel, transaction } = e.data;
    s.balance -= amount + fee;
    s.fees += fee;
    s.withdrawals += 1;
    s.byChannel[channel] = (s.byChannel[channel] || 0) + 1;
    s.last = transaction;
  },
  TransferSent(s, e) {
    s.balance -= e.data.amount;
    s.transfers += 1;
    s.recent.push({ to: e.data.to.number, amount: e.data.amount, purpose: e.data.purpose });
    if (s.recent.length > 8) s.recent.shift();
  },
  ContactChanged(s, e) { s.owner = { ...s.owner, ...e.data.owner }; },
  LimitsChanged(s, e) { s.limits = e.data.limits; return s; },
});
