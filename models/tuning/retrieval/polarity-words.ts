/**
 * Words that turn or narrow what a question asks, by language: negations, and phrases with an opposite as "at least" and "at most".
 * Training reads those of the rows' languages into the index (function-words.ts), so that nobody else needs these lists.
 */

/** Opposite phrases: those of one side, and those of the other. */
type Opposites = readonly [readonly string[], readonly string[]];

/** Lists of a language, as it is written; polarity.ts says how they count. */
export interface PolarityWords {
  readonly negations: readonly string[];
  /** In languages whose negations agree, as in "no … nada": any number of them is one. */
  readonly concords?: readonly string[];
  readonly neutral?: readonly string[];
  /** In this order: earlier and later, lower and upper bound, inside and outside, always and rarely, until and since. */
  readonly opposites?: readonly Opposites[];
}

const ENGLISH: PolarityWords = {
  negations: [
    ..."not no never nobody none noone nothing nowhere neither nor cannot without except excluding".split(
      " ",
    ),
    ..."arent cant couldnt didnt doesnt dont hadnt hasnt havent isnt mustnt neednt shouldnt wasnt werent wont".split(
      " ",
    ),
    ..."wouldnt".split(" "),
    "no one",
  ],
  neutral: ["or not", "whether or not", "not only", "why not", "no matter", "no doubt"],
  opposites: [
    [
      ["before", "prior to", "earlier than", "ahead of"],
      ["after", "later than", "following"],
    ],
    [
      [
        "at least",
        "no less than",
        "not less than",
        "no fewer than",
        "no earlier than",
        "minimum",
        "minimal",
        "more than",
        "over",
        "above",
        "exceeding",
        "longer than",
        "older than",
        "higher than",
        "larger than",
      ],
      [
        "at most",
        "no more than",
        "not more than",
        "no later than",
        "not later than",
        "up to",
        "maximum",
        "maximal",
        "less than",
        "fewer than",
        "under",
        "below",
        "shorter than",
        "younger than",
        "lower than",
        "smaller than",
      ],
    ],
    [["inside", "within"], ["outside"]],
    [["always"], ["sometimes", "rarely", "seldom"]],
    [["until", "till"], ["since"]],
  ],
};

const GERMAN: PolarityWords = {
  negations: [
    ..."nicht nichts nein nie niemals niemand niemanden niemandem niemandes nirgends nirgendwo ohne weder".split(
      " ",
    ),
    ..."kein keine keinem keinen keiner keines keins keinerlei keinesfalls keineswegs kaum außer ausgenommen".split(
      " ",
    ),
  ],
  neutral: ["oder nicht", "oder nein", "nicht nur", "warum nicht"],
  opposites: [
    [
      ["vor", "bevor", "vorher", "früher als", "ehe"],
      ["nach", "nachdem", "nachher", "später als"],
    ],
    [
      [
        "mindestens",
        "wenigstens",
        "zumindest",
        "nicht weniger als",
        "minimal",
        "frühestens",
        "mehr als",
        "über",
        "oberhalb",
        "länger als",
        "älter als",
        "höher als",
        "größer als",
      ],
      [
        "höchstens",
        "maximal",
        "nicht mehr als",
        "nicht später als",
        "bis zu",
        "spätestens",
        "weniger als",
        "unter",
        "unterhalb",
        "kürzer als",
        "jünger als",
        "niedriger als",
        "kleiner als",
      ],
    ],
    [["innerhalb"], ["außerhalb"]],
    [
      ["immer", "stets"],
      ["manchmal", "selten"],
    ],
  ],
};

const FRENCH: PolarityWords = {
  negations: ["sans", "sauf", "hormis", "excepté"],
  concords: "ne n pas jamais rien aucun aucune nul nulle nullement guère non ni".split(" "),
  neutral: ["ou pas", "ou non", "non seulement", "pourquoi pas", "n est ce pas"],
  opposites: [
    [
      ["avant", "plus tôt que"],
      ["après", "plus tard que"],
    ],
    [
      [
        "au moins",
        "au minimum",
        "minimum",
        "pas moins de",
        "au plus tôt",
        "plus de",
        "plus que",
        "au dessus de",
        "au delà de",
      ],
      [
        "au plus",
        "au maximum",
        "maximum",
        "pas plus de",
        "jusqu à",
        "au plus tard",
        "moins de",
        "moins que",
        "au dessous de",
        "en dessous de",
      ],
    ],
    [
      ["dedans", "à l intérieur"],
      ["dehors", "à l extérieur", "hors"],
    ],
    [["toujours"], ["parfois", "rarement"]],
  ],
};

const SPANISH: PolarityWords = {
  negations: ["sin", "salvo", "excepto"],
  concords: "no ni nunca jamás nadie nada ningún ninguno ninguna ningunos ningunas tampoco".split(" "),
  neutral: ["o no", "no sólo", "no solo", "por qué no"],
  opposites: [
    [
      ["antes de", "antes del", "antes"],
      ["después de", "después del", "después", "tras"],
    ],
    [
      ["al menos", "por lo menos", "como mínimo", "mínimo", "más de", "más que", "por encima de"],
      ["como máximo", "a lo sumo", "máximo", "hasta", "menos de", "menos que", "por debajo de"],
    ],
    [["dentro"], ["fuera"]],
    [["siempre"], ["a veces", "raramente"]],
  ],
};

const ITALIAN: PolarityWords = {
  negations: ["senza", "tranne", "eccetto"],
  concords: "non né nessun nessuno nessuna niente nulla neanche nemmeno neppure no".split(" "),
  neutral: ["o no", "non solo", "perché non"],
  opposites: [
    [["prima di", "prima del", "prima della", "prima"], ["dopo"]],
    [
      ["almeno", "come minimo", "minimo", "più di", "più che", "oltre"],
      ["al massimo", "massimo", "fino a", "meno di", "meno che"],
    ],
    [["dentro"], ["fuori"]],
    [["sempre"], ["a volte", "raramente"]],
  ],
};

const PORTUGUESE: PolarityWords = {
  negations: ["sem", "exceto", "salvo"],
  concords: "não nem nunca jamais ninguém nada nenhum nenhuma nenhuns nenhumas tampouco".split(" "),
  neutral: ["ou não", "não só", "por que não"],
  opposites: [
    [
      ["antes de", "antes do", "antes da", "antes"],
      ["depois de", "depois do", "depois da", "depois", "após"],
    ],
    [
      ["pelo menos", "no mínimo", "mínimo", "mais de", "mais que", "acima de"],
      ["no máximo", "máximo", "até", "menos de", "menos que", "abaixo de"],
    ],
    [["dentro"], ["fora"]],
  ],
};

const DUTCH: PolarityWords = {
  negations: "niet niets nee geen nooit niemand nergens zonder noch behalve".split(" "),
  neutral: ["of niet", "niet alleen", "waarom niet"],
  opposites: [
    [
      ["voor", "voordat", "eerder dan"],
      ["na", "nadat", "later dan"],
    ],
    [
      ["minstens", "ten minste", "minimaal", "meer dan", "boven", "ouder dan", "langer dan"],
      ["hoogstens", "ten hoogste", "maximaal", "tot", "minder dan", "onder", "jonger dan", "korter dan"],
    ],
    [["binnen"], ["buiten"]],
  ],
};

const SWEDISH: PolarityWords = {
  negations: "inte icke ej nej ingen inget inga ingenting aldrig utan varken".split(" "),
  neutral: ["eller inte", "inte bara", "varför inte"],
  opposites: [
    [["före", "innan"], ["efter"]],
    [
      ["minst", "åtminstone", "mer än", "över", "äldre än", "längre än"],
      ["högst", "upp till", "max", "mindre än", "under", "yngre än", "kortare än"],
    ],
    [["inne", "inom"], ["utanför"]],
  ],
};

const DANISH: PolarityWords = {
  negations: "ikke ej nej ingen intet ingenting aldrig uden hverken".split(" "),
  neutral: ["eller ej", "eller ikke", "ikke kun", "hvorfor ikke"],
  opposites: [
    [["før", "inden"], ["efter"]],
    [
      ["mindst", "i det mindste", "mere end", "over", "ældre end", "længere end"],
      ["højst", "op til", "maks", "mindre end", "under", "yngre end", "kortere end"],
    ],
  ],
};

const NORWEGIAN: PolarityWords = {
  negations: "ikke ikkje nei ingen intet ingenting aldri uten utan verken".split(" "),
  neutral: ["eller ikke", "ikke bare", "hvorfor ikke"],
  opposites: [
    [["før", "innen"], ["etter"]],
    [
      ["minst", "i det minste", "mer enn", "over", "eldre enn", "lengre enn"],
      ["høyst", "opptil", "maks", "mindre enn", "under", "yngre enn", "kortere enn"],
    ],
  ],
};

const FINNISH: PolarityWords = {
  negations: "ei en et emme ette eivät eikä ettei älä älkää ilman paitsi".split(" "),
  neutral: ["vai ei", "miksi ei", "ei vain"],
  opposites: [
    [["ennen"], ["jälkeen"]],
    [
      ["vähintään", "enemmän kuin", "yli"],
      ["enintään", "korkeintaan", "vähemmän kuin", "alle"],
    ],
  ],
};

const RUSSIAN: PolarityWords = {
  negations: ["без", "кроме"],
  concords: "не нет нельзя ни никто никого никому никогда ничто ничего нигде никакой никакая никакие".split(
    " ",
  ),
  neutral: ["или нет", "не только", "почему бы не"],
  opposites: [
    [
      ["до", "перед", "раньше"],
      ["после", "позже"],
    ],
    [
      [
        "не менее",
        "не меньше",
        "как минимум",
        "минимум",
        "по крайней мере",
        "более",
        "больше",
        "старше",
        "свыше",
      ],
      ["не более", "не больше", "максимум", "менее", "меньше", "младше", "моложе"],
    ],
  ],
};

const UKRAINIAN: PolarityWords = {
  negations: ["без", "крім"],
  concords: "не ні немає нема неможна ніхто нікого нікому ніколи ніщо нічого ніде ніякий".split(" "),
  neutral: ["чи ні", "не тільки", "не лише"],
  opposites: [
    [
      ["до", "перед", "раніше"],
      ["після", "пізніше"],
    ],
    [
      ["не менше", "щонайменше", "мінімум", "більше", "понад", "старше"],
      ["не більше", "щонайбільше", "максимум", "менше", "молодше"],
    ],
  ],
};

/** By the names of the lists of function words. */
export const POLARITY_WORDS: Readonly<Record<string, PolarityWords>> = {
  arabic: {
    negations: ["بدون", "دون", "بلا"],
    concords: ["لا", "لم", "لن", "ليس", "ليست", "ليسوا", "أبدا", "غير"],
    opposites: [
      [["قبل"], ["بعد"]],
      [
        ["على الأقل", "أكثر من"],
        ["على الأكثر", "أقل من"],
      ],
    ],
  },
  armenian: { negations: ["առանց"], concords: ["ոչ", "չէ", "չի", "չեն", "չեմ", "չկա", "երբեք", "ոչինչ"] },
  bulgarian: {
    negations: ["без", "освен"],
    concords: ["не", "няма", "нищо", "никой", "никого", "никога", "никъде", "никакъв"],
    neutral: ["или не", "не само"],
    opposites: [
      [["преди"], ["след"]],
      [
        ["поне", "повече от"],
        ["най много", "по малко от"],
      ],
    ],
  },
  danish: DANISH,
  dutch: DUTCH,
  english: ENGLISH,
  finnish: FINNISH,
  french: FRENCH,
  german: GERMAN,
  greek: {
    negations: ["χωρίς", "δίχως", "εκτός"],
    concords: ["δεν", "δε", "μη", "μην", "όχι", "ποτέ", "κανείς", "κανένας", "καμία", "κανένα", "τίποτα"],
    neutral: ["ή όχι", "όχι μόνο", "γιατί όχι"],
    opposites: [
      [["πριν"], ["μετά"]],
      [
        ["τουλάχιστον", "περισσότερο από"],
        ["το πολύ", "λιγότερο από"],
      ],
    ],
  },
  hindi: {
    negations: ["नहीं", "बिना", "मत"],
    opposites: [
      [["पहले"], ["बाद"]],
      [
        ["कम से कम", "से अधिक"],
        ["अधिक से अधिक", "से कम"],
      ],
    ],
  },
  hungarian: {
    negations: ["nélkül", "kivéve"],
    concords: ["nem", "ne", "sem", "se", "nincs", "nincsenek", "soha", "senki", "semmi", "sehol"],
    neutral: ["vagy nem", "nem csak", "nemcsak", "miért ne"],
    opposites: [
      [["előtt"], ["után"]],
      [
        ["legalább", "több mint"],
        ["legfeljebb", "kevesebb mint"],
      ],
    ],
  },
  indonesian: {
    negations: ["tidak", "tak", "bukan", "tanpa", "jangan", "belum", "kecuali"],
    neutral: ["atau tidak", "tidak hanya", "mengapa tidak"],
    opposites: [
      [["sebelum"], ["sesudah", "setelah"]],
      [
        ["minimal", "paling sedikit", "lebih dari"],
        ["maksimal", "paling banyak", "kurang dari"],
      ],
    ],
  },
  irish: {
    negations: ["gan"],
    concords: ["ní", "níl", "níor", "nach", "nár", "ná", "cha", "riamh"],
    opposites: [[["roimh"], ["tar éis"]]],
  },
  italian: ITALIAN,
  lithuanian: {
    negations: ["be", "išskyrus"],
    concords: ["ne", "nėra", "niekas", "niekada", "nieko", "joks", "jokia", "negalima"],
    opposites: [
      [["prieš"], ["po"]],
      [
        ["bent", "mažiausiai", "daugiau nei"],
        ["daugiausia", "mažiau nei"],
      ],
    ],
  },
  nepali: { negations: ["छैन", "होइन", "हुँदैन", "बिना", "नगर्नु"] },
  norwegian: NORWEGIAN,
  portuguese: PORTUGUESE,
  romanian: {
    negations: ["fără", "exceptând"],
    concords: ["nu", "niciodată", "nimeni", "nimic", "niciun", "nicio", "nici", "nicăieri"],
    neutral: ["sau nu", "nu numai", "nu doar", "de ce nu"],
    opposites: [
      [["înainte de", "înainte"], ["după"]],
      [
        ["cel puțin", "minim", "mai mult de"],
        ["cel mult", "maxim", "mai puțin de"],
      ],
    ],
  },
  russian: RUSSIAN,
  serbian: {
    negations: ["bez", "osim", "без", "осим"],
    concords: [
      ..."ne nije nisu nisam niste nema nemaju nikad nikada niko nikoga ništa nigde".split(" "),
      ..."не није нису нисам нисте нема немају никад никада нико никога ништа нигде".split(" "),
    ],
    neutral: ["ili ne", "ne samo", "или не", "не само"],
    opposites: [
      [
        ["pre", "пре"],
        ["posle", "nakon", "после", "након"],
      ],
      [
        ["najmanje", "bar", "најмање", "бар"],
        ["najviše", "највише"],
      ],
    ],
  },
  spanish: SPANISH,
  swedish: SWEDISH,
  tamil: { negations: ["இல்லை", "இல்லாமல்", "அல்ல", "முடியாது", "கூடாது", "தவிர"] },
  turkish: {
    negations: ["değil", "olmadan", "olmaksızın", "yok", "hariç"],
    opposites: [
      [["önce"], ["sonra"]],
      [
        ["en az", "daha fazla", "den fazla"],
        ["en fazla", "en çok", "daha az", "den az"],
      ],
    ],
  },
  ukrainian: UKRAINIAN,
};
