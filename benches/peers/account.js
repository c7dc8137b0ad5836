// A reducer that both engines run: an account with its last entries and its turnover.
({
    $init() {
        return { balance_cents: 0, entries: 0, turnover_cents: 0, by_kind: {}, last: [] };
    },
    $any(state, event) {
        const data = event.data;
        if (data === undefined || data === null) {
            return state;
        }
        if (data.balance_cents !== undefined) {
            state.balance_cents = data.balance_cents;
            state.entries = data.entries;
        }
        const entry = data.last_entry;
        if (entry) {
            state.turnover_cents += Math.abs(entry.amount_cents);
            state.by_kind[entry.kind] = (state.by_kind[entry.kind] || 0) + 1;
            state.last.push({ kind: entry.kind, purpose: entry.purpose, amount_cents: entry.amount_cents });
            if (state.last.length > 8) {
                state.last.shift();
            }
        }
        return state;
    },
})
