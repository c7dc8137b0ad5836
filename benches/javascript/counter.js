fromAll().when({
  $init: function () { return { count: 0, last: 0 }; },
  Ticked: function (s, e) { s.count += 1; s.last = e.data.n; return s; }
});
