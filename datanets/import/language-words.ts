/** Frequent words of languages, by their codes (ISO 639): what tells the language of a text in a script that several languages share. */
const LISTS: Readonly<Record<string, string>> = {
  bg: "и на за се от да не са по че като със във което или още един беше този тази това също до при след може има защото няма който",
  ca: "els les una amb per més aquest aquesta són està també però quan fins molt sense seva dels pels això entre va el que ha és d'un nosaltres i de la en es",
  cs: "a se na že je to v s z do jako ale jsem pro by jsou tak podle které který ve za byl bylo aby ještě nebo už při jen také může mezi po má k o i než",
  da: "og at det er en af til på med den der de ikke som har for jeg et var kan vi om men hvis blev også efter eller fra han mig meget hvad noget være skal nu dig ind kun bliver havde kunne hun selv alle mange sig",
  de: "der die und in den von zu das mit sich des auf für ist im dem nicht ein eine als auch es an werden aus er hat dass sie nach wird bei einer um am sind noch wie einem über einen so zum war haben nur oder aber vor zur bis mehr durch man wir ich",
  en: "the of and to in is that for it as was with on be by at not this are or his from which but have an had they you were their one all we can her has there been if more when will would who so no my what your how do me",
  es: "de la que el en y a los se del las un por con no una su para es al lo como más o pero sus le ha me si sin sobre este ya entre cuando todo esta ser son también fue había muy hasta desde está nos porque",
  et: "ja on ei et see ka oli kui ta oma mis aga või siis seda need mida välja kes ning nii veel olen tema pärast enne kuid üle ma sest meie",
  eu: "eta da ez bat du zen dira ere baina bere egin dute den izan zuen hau hori behar duen beste gabe batean dela egiten",
  fi: "ja on ei se että oli hän mutta kuin myös ole joka niin kun tai ovat jos sen mitä vain ovat sitä jo hänen siitä voi kanssa mukaan minä sekä vielä tämä olen ollut jälkeen koska sisään vasta kaikki sitten mutta eivät hyvin",
  fr: "de la le et les des en un du une que est pour qui dans a par plus pas au sur ne se ce il sont avec son aux d'une ou cette mais comme ont être nous vous leur elle tout fait même sans je on deux très été",
  ga: "agus an na ar le bhí tá sé go i don níl is a ach leis sí seo ag sin nach ná faoi mar bhfuil chuig raibh siad",
  hr: "i je da se na u su za od s ne što kao koji ali iz te bi o a sam ili bio koja nije po više kada samo nego prije gdje već također nakon bez sve može",
  hu: "a az és hogy nem is egy ez volt meg csak már még de van mint ha el vagy azt lehet volna kell ki minden nagyon pedig után ami aki majd akkor szerint itt között neki",
  id: "yang dan di untuk dengan ini itu dari dalam tidak akan pada juga ke ada mereka oleh saya bisa atau adalah karena sudah telah kami kita lebih anda seperti tersebut sebagai hanya bahwa",
  is: "og að í er á það sem var til við hann um með en því eru fyrir ekki af þess hefur ég eða verið þeir svo frá hún hafa voru hefði eftir þá",
  it: "di e che la il un a per in una non sono si è con le del da come più lo dei al anche i ha nel della alla ma gli o se ci questo suo delle hanno molto quando tutto stato fatto essere sul perché era",
  lt: "ir yra kad į su iš ne tai kaip bet jis buvo per ar apie nuo po už dėl tik jau prie savo kuris dar labai būti jei taip pat gali arba",
  lv: "un ir ka no ar uz par bet tas kas lai arī vai kā pie nav tika šī tā viņš bija kur pēc vēl jau var ļoti līdz pret to viņa ja",
  nb: "og i det på er en som til å av for at med de ikke den har jeg om et men var han seg så fra hun vi ble kan etter eller hadde også være skal dette da meg opp hva noe blir bare må inn nå deg hadde kunne hvor selv alle mange",
  nl: "de het een van en in is dat op te zijn met voor niet die aan er om ook als dan maar bij of uit nog naar door wordt over heeft ze werd meer hij deze kan was tot worden moet geen je ik we",
  pl: "i w na z się nie do że jest to o jak za od po przez co dla są tak ale ma które już który tylko być był może jego czy tym może przed także oraz bardzo jeszcze gdy ich",
  pt: "de a o que e do da em um para com não uma os no se na por mais as dos como mas ao ele das à seu sua ou quando muito nos já está eu também pelo pela até isso ela entre era depois sem mesmo aos ser foi são",
  ro: "și de la în a cu pe nu că din este o să un care au mai pentru se sunt fi dar ca prin lui ce fost după dacă sau foarte fără decât între despre ale acest",
  ru: "и в не на я что он с как это по но из у за от то так же для его все бы она было или мы ещё только был когда если уже вы их может до нет под быть который после также очень без чтобы",
  sk: "a sa na je v že to s z do ako ale som pre by sú tak podľa ktoré ktorý vo za bol bolo aby ešte alebo už pri len tiež môže medzi po má k o aj než nie",
  sl: "in je da se na v so za z ki ne tudi pa po s kot ali iz bi bil bila še pri le od če lahko med kar ko do že več ima sem po katere vendar",
  sq: "dhe të në një për me nga është që se nuk si ka do më ai kjo ky janë por edhe ajo shumë kishte duke këtë",
  sr: "и је да се на у су за од са не што као који али из би о а сам или био која није по више када само него пре где већ такође након без све може",
  sv: "och att det i är en som på av för med till den har de inte om ett var men jag sig så från vi kan han eller när också efter hade vid upp ska nu än bara blir mycket där vad skulle få",
  tr: "ve bir bu da de için ile çok olarak olan daha ne gibi kadar ama sonra var ki en her değil olduğu ben mi ya o ise bunu göre şey nasıl diye yok bile hiç",
  uk: "і в не на я що він з як це по але із у за від то так же для його усе вона було або ми ще тільки був коли якщо вже ви їх може до немає під бути який після також дуже без щоб та й є",
  vi: "và của là có được trong cho không một các với người những đã để khi này đó từ về đến như cũng thì nhưng ra rất tôi sẽ vào",
  hi: "के में है की और से का को पर यह कि एक नहीं हैं भी ने तो था कर जो हो इस लिए वह अपने साथ थे या गया",
  mr: "आहे आणि या च्या हे ते नाही होते की तो ती एक होता मी व असे साठी पण आहेत",
  ne: "छ र को मा ले पनि हो यो लाई गर्न भएको छन् भन्ने गरेको तर हुन्छ गर्ने थियो",
  ar: "في من على أن إلى هذا التي لا ما عن كان مع الذي هذه قد كما بين كل أو بعد لم ذلك ثم إن",
  fa: "و در به از که این را با است برای آن یک خود تا بر هم نیز شده می های بود ما شود کرد",
  ur: "کے میں ہے کی اور سے کا کو پر یہ کہ ایک نہیں ہیں بھی نے تو تھا جو اس لیے وہ ان",
};

/** Lists that have a word, by the word. */
const languagesByWord = new Map<string, string[]>();
for (const [language, list] of Object.entries(LISTS))
  for (const word of new Set(list.split(" "))) {
    const known = languagesByWord.get(word);
    if (known === undefined) languagesByWord.set(word, [language]);
    else known.push(language);
  }

/** Languages whose frequent words have a word of a text, in small letters. */
export const languagesOfWord = (word: string): readonly string[] => languagesByWord.get(word) ?? [];
