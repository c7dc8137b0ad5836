// The world of a script: universal time, no way to make code of texts, nothing of the host.
// Functions are replaced by proxies of the built-in ones, so that they stay built-in to every look.
(function (host, chance, now) {
  "use strict";
  const { apply, construct, defineProperty, deleteProperty, getPrototypeOf } = Reflect;
  const RealDate = Date, parse = Date.parse, utc = Date.UTC, realNow = Date.now;
  const dates = Date.prototype;
  const getTime = dates.getTime, offset = dates.getTimezoneOffset, utcText = dates.toUTCString;
  const test = RegExp.prototype.exec, slice = String.prototype.slice, pad = String.prototype.padStart;
  const text = String, trap = Proxy, TypeFault = TypeError, isNotNumber = Number.isNaN;
  const hide = (object, name, value) =>
    defineProperty(object, name, { value, writable: true, enumerable: false, configurable: true });

  // Dates. The machine's zone plays no part.
  const shift = (t) => apply(offset, construct(RealDate, [t]), []) * 60000;
  const isoDate = /^[+-]?\d{4,6}(-\d\d(-\d\d)?)?$/;
  const withZone = /(Z|GMT|UTC?|[+-]\d\d:?\d\d)\s*(\([^)]*\))?\s*$/i;
  const read = (s) => {
    const t = parse(s);
    if (isNotNumber(t) || apply(test, isoDate, [s]) !== null || apply(test, withZone, [s]) !== null) return t;
    return t - shift(t);
  };
  const clock = now === null ? realNow : now;
  const parts = (t) => {
    const s = apply(utcText, construct(RealDate, [t]), []);
    return [apply(slice, s, [0, 3]), apply(slice, s, [5, 7]), apply(slice, s, [8, 11]), apply(slice, s, [12, -13]), apply(slice, s, [-12, -4])];
  };
  const dayText = (t) => { const [week, day, month, year] = parts(t); return week + " " + month + " " + day + " " + year; };
  const timeText = (t) => parts(t)[4] + " GMT+0000 (Coordinated Universal Time)";
  const shown = (make) => (t) => (isNotNumber(t) ? "Invalid Date" : make(t));
  const whole = shown((t) => dayText(t) + " " + timeText(t));

  const DateProxy = new trap(RealDate, {
    __proto__: null,
    apply() { return whole(clock()); },
    construct(target, args, newTarget) {
      let value;
      if (args.length === 0) value = clock();
      else if (args.length > 1) value = apply(utc, undefined, args);
      else {
        const only = args[0];
        if (typeof only === "string") value = read(only);
        else if (typeof only === "object" && only !== null) {
          try { value = apply(getTime, only, []); }
          catch { const plain = primitive(only); value = typeof plain === "string" ? read(plain) : plain; }
        } else value = only;
      }
      return construct(target, [value], newTarget);
    },
  });
  const toPrimitive = dates[Symbol.toPrimitive];
  const primitive = (object) => apply(toPrimitive, object, ["default"]);
  const replaced = (original, body) => new trap(original, { __proto__: null, apply: (_, self, args) => body(self, args) });
  const method = (name, body) =>
    hide(dates, name, replaced(dates[name], (self, args) => body(apply(getTime, self, []), args, self)));

  hide(globalThis, "Date", DateProxy);
  hide(dates, "constructor", DateProxy);
  hide(RealDate, "parse", replaced(parse, (_, args) => read(text(args[0]))));
  hide(RealDate, "now", replaced(realNow, () => clock()));
  const units = ["FullYear", "Month", "Date", "Hours", "Minutes", "Seconds", "Milliseconds"];
  for (let i = 0; i < units.length; i++) {
    hide(dates, "get" + units[i], dates["getUTC" + units[i]]);
    hide(dates, "set" + units[i], dates["setUTC" + units[i]]);
  }
  hide(dates, "getDay", dates.getUTCDay);
  method("getTimezoneOffset", (t) => (isNotNumber(t) ? t : 0));
  method("toString", (t) => whole(t));
  method("toDateString", shown(dayText));
  method("toTimeString", shown(timeText));
  for (const name of ["toLocaleString", "toLocaleDateString", "toLocaleTimeString"]) {
    const original = dates[name];
    method(name, (t, args) => apply(original, construct(RealDate, [t + shift(t)]), args));
  }

  // Chance.
  if (chance !== null) hide(Math, "random", replaced(Math.random, () => chance()));

  // Texts stay texts.
  const refuse = () => { throw new TypeFault("making code of texts is switched off"); };
  const samples = [function () {}, function* () {}, async function () {}, async function* () {}];
  for (let i = 0; i < samples.length; i++) {
    const prototype = getPrototypeOf(samples[i]);
    const barred = new trap(prototype.constructor, { __proto__: null, apply: refuse, construct: refuse });
    defineProperty(prototype, "constructor", { value: barred });
    if (i === 0) hide(globalThis, "Function", barred);
  }
  hide(globalThis, "eval", replaced(eval, (_, args) => (typeof args[0] === "string" ? refuse() : args[0])));

  for (const name of ["navigator", "queueMicrotask", "performance", "DOMException", "InternalError", "atob", "btoa", "gc", "print", "console"]) {
    deleteProperty(globalThis, name);
  }

  // What a Map, a Set or a Date holds, as an array or a number; undefined for everything else.
  const mapSize = Object.getOwnPropertyDescriptor(Map.prototype, "size").get;
  const setSize = Object.getOwnPropertyDescriptor(Set.prototype, "size").get;
  const eachOfMap = Map.prototype.forEach, eachOfSet = Set.prototype.forEach;
  const attempt = (f) => { try { return f(); } catch { return undefined; } };
  return (value) => attempt(() => {
    apply(mapSize, value, []);
    const found = { __proto__: null, length: 0 };
    apply(eachOfMap, value, [(item, key) => { found[found.length++] = { __proto__: null, key, item }; }]);
    return found;
  }) ?? attempt(() => {
    apply(setSize, value, []);
    const found = { __proto__: null, length: 0 };
    apply(eachOfSet, value, [(item) => { found[found.length++] = item; }]);
    return found;
  }) ?? attempt(() => apply(getTime, value, []));
});
