// The state of a customer, as a bare handler object: for a reducer, `fromCategory` may be left out.
// `order.js` beside this file explains how a reducer is written.

({
  CustomerRegistered(s, e) {
    return e.data;
  },

  CustomerMoved(s, e) {
    s.address = e.data.address;
  },

  PhoneChanged(s, e) {
    s.phone = e.data.phone;
  },

  PhoneRemoved(s, e) {
    delete s.phone;
  },

  NewsletterSubscribed(s, e) {
    s.newsletter = true;
  },

  NewsletterUnsubscribed(s, e) {
    s.newsletter = false;
  },

  CustomerPromoted(s, e) {
    s.tier = e.data.tier;
  },

  // Whoever leaves is forgotten, as far as the state goes. The events before still tell.
  CustomerClosed(s, e) {
    s.status = 'closed';
    s.newsletter = false;
    delete s.email;
    delete s.phone;
    delete s.address;
  },
});
