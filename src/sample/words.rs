//! Names of people, places and things in many scripts, so that a font that lacks one is noticed.

/// A name, and the same in letters that an address may have.
pub(crate) type Person = (&'static str, &'static str);

/// Names as people write them: Latin with and without accents, Greek, Cyrillic, CJK, Devanagari.
pub(crate) const PEOPLE: &[Person] = &[
    ("Amélie Rousseau", "amelie.rousseau"),
    ("Jürgen Weiß", "juergen.weiss"),
    ("Ελένη Παπαδοπούλου", "eleni.papadopoulou"),
    ("Олена Коваленко", "olena.kovalenko"),
    ("王小明", "wang.xiaoming"),
    ("Łukasz Wójcik", "lukasz.wojcik"),
    ("佐藤 さくら", "sakura.sato"),
    ("Siobhán O’Connor", "siobhan.oconnor"),
    ("김민준", "minjun.kim"),
    ("Zoë van den Berg", "zoe.vandenberg"),
    ("Νίκος Γεωργίου", "nikos.georgiou"),
    ("Иван Петров", "ivan.petrov"),
    ("Ayşe Yılmaz", "ayse.yilmaz"),
    ("João Gonçalves", "joao.goncalves"),
    ("प्रिया शर्मा", "priya.sharma"),
    ("Björk Þórsdóttir", "bjork.thorsdottir"),
    ("Nguyễn Thị Hoa", "hoa.nguyen"),
    ("陳美玲", "meiling.chen"),
    ("Dvořák Jiří", "jiri.dvorak"),
    ("Fatima Bensaïd", "fatima.bensaid"),
    ("Adaeze Okonkwo", "adaeze.okonkwo"),
    ("Mary Ann Smith", "maryann.smith"),
    ("Søren Kjær", "soren.kjaer"),
    ("Τάκης 🌻 Ιωάννου", "takis.ioannou"),
];

/// A street without its number, its town, postal code and country.
pub(crate) type Place = (&'static str, &'static str, &'static str, &'static str);

/// Places in their own scripts.
pub(crate) const PLACES: &[Place] = &[
    ("Rue des Lilas", "Lyon", "69003", "FR"),
    ("Gartenstraße", "Köln", "50667", "DE"),
    ("Οδός Ερμού", "Αθήνα", "105 63", "GR"),
    ("вулиця Хрещатик", "Київ", "01001", "UA"),
    ("中山路", "台北市", "100", "TW"),
    ("ulica Długa", "Łódź", "90-001", "PL"),
    ("桜通り", "京都市", "600-8001", "JP"),
    ("Harbour Lane", "Cork", "T12 X8N6", "IE"),
    ("세종대로", "서울", "04524", "KR"),
    ("Rua das Flores", "São Paulo", "01310-100", "BR"),
    ("Strandgade", "København", "1401", "DK"),
    ("Calle del Pez", "Málaga", "29001", "ES"),
];

/// A product: stock number, name, department, price in cents.
pub(crate) type Ware = (&'static str, &'static str, &'static str, i64);

/// What the shop sells.
pub(crate) const WARES: &[Ware] = &[
    ("TEA-001", "Sencha 🍵 100 g", "tea", 890),
    ("TEA-002", "Earl Grey, loose, 250 g", "tea", 1290),
    ("TEA-003", "抹茶 Matcha 30 g", "tea", 2450),
    ("TEA-004", "Чай «Иван-чай» 75 g", "tea", 640),
    ("COF-001", "Espresso beans 1 kg", "coffee", 1890),
    ("COF-002", "Ελληνικός καφές 200 g", "coffee", 520),
    ("COF-003", "Café crème «Matin» 500 g", "coffee", 1150),
    ("POT-001", "Teapot, cast iron, 0.8 l", "kitchen", 4990),
    ("POT-002", "Kyūsu 急須, clay", "kitchen", 6400),
    ("POT-003", "Moka pot, 6 cups", "kitchen", 2990),
    ("CUP-001", "Cup \"Blue hour\", set of 2", "kitchen", 2200),
    ("CUP-002", "Glass mug ☕ 0.3 l", "kitchen", 950),
    ("HON-001", "Μέλι θυμαρίσιο 450 g", "pantry", 1380),
    ("JAM-001", "Fraises & rhubarbe 220 g", "pantry", 590),
    ("COO-001", "Gewürzspekulatius 200 g", "pantry", 430),
    ("BOX-001", "Gift box 🎁 large", "gifts", 350),
];

/// What people write on a gift.
pub(crate) const NOTES: &[&str] = &[
    "Happy birthday 🎂 from all of us",
    "С днём рождения!",
    "お誕生日おめでとう 🎉",
    "Merci pour tout, à bientôt",
    "Χρόνια πολλά!",
    "Get well soon 🌷",
];

/// Why things come back.
pub(crate) const RETURN_REASONS: &[&str] =
    &["arrived broken", "wrong item", "two were ordered by mistake", "not as described", "changed my mind"];

/// Why orders end early.
pub(crate) const CANCEL_REASONS: &[&str] =
    &["ordered twice", "found it cheaper", "out of stock", "payment never arrived"];

/// Who carries parcels.
pub(crate) const CARRIERS: &[&str] = &["post", "courier", "parcel-bike"];

/// What money was paid for.
pub(crate) const PURPOSES: &[&str] = &[
    "rent",
    "salary",
    "groceries",
    "Stromrechnung",
    "κοινόχρηστα",
    "книги",
    "学费",
    "gift 🎁",
    "insurance",
    "train ticket",
];

/// Where devices hang.
pub(crate) const ROOMS: &[&str] =
    &["boiler room", "cold store 2", "greenhouse 🌱", "Dachboden", "αποθήκη", "склад", "機械室", "lobby"];
