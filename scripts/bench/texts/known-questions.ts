/**
 * General questions with answers, each also asked in other words, for `npm run bench -- models`: 40 that a model is made of, and
 * 20 others. The other words were written before any way to find rows was tried on them.
 */

/** A question with its answer. */
export interface KnownQuestion {
  readonly question: string;
  readonly answer: string;
  /** The same question as somebody else would ask it. */
  readonly otherWords: string;
}

/** Entry of a list. */
export const known = ([question, answer, otherWords]: readonly [string, string, string]): KnownQuestion => ({
  question,
  answer,
  otherWords,
});

/** Rows of the model. */
export const KNOWN_QUESTIONS: readonly KnownQuestion[] = (
  [
    [
      "What is gravity?",
      "Gravity is the force by which bodies with mass attract each other. It keeps the planets in their orbits.",
      "Which force makes an apple fall and holds the planets on their paths?",
    ],
    [
      "What is the capital of Australia?",
      "The capital of Australia is Canberra, not Sydney.",
      "In which city does the Australian government sit?",
    ],
    [
      "How many bones does an adult human have?",
      "An adult has 206 bones; a newborn has about 270, some of which grow together.",
      "What is the count of bones in a grown person's skeleton?",
    ],
    [
      "Who painted the Mona Lisa?",
      "Leonardo da Vinci painted the Mona Lisa at the beginning of the 16th century.",
      "Which artist made the famous Mona Lisa portrait?",
    ],
    [
      "Why is the sky blue?",
      "Air scatters short waves of sunlight more than long ones, so blue light reaches us from all directions.",
      "What gives the daytime sky its colour?",
    ],
    [
      "What is photosynthesis?",
      "Photosynthesis is how plants make sugar and oxygen from water, carbon dioxide and light.",
      "How do plants turn light into sugar?",
    ],
    [
      "When did the Second World War end?",
      "The Second World War ended in 1945: in Europe in May, in the Pacific in September.",
      "In what year was World War II over?",
    ],
    [
      "At what temperature does water boil?",
      "At sea level water boils at 100 degrees Celsius, which is 212 degrees Fahrenheit.",
      "How hot must water get before it turns to steam?",
    ],
    [
      "What is the largest planet in the solar system?",
      "Jupiter is the largest planet; it has more than twice the mass of all the others together.",
      "Name the biggest planet that goes around our sun.",
    ],
    [
      "Who wrote Romeo and Juliet?",
      "William Shakespeare wrote Romeo and Juliet around 1595.",
      "Which playwright is the author of Romeo and Juliet?",
    ],
    [
      "How far is the Moon from the Earth?",
      "The Moon is about 384,400 kilometres away on average.",
      "What distance lies between us and the Moon?",
    ],
    [
      "What is the chemical symbol for gold?",
      "The symbol for gold is Au, from the Latin aurum.",
      "Which letters stand for gold in the periodic table?",
    ],
    [
      "How many continents are there?",
      "By the usual count there are seven continents: Africa, Antarctica, Asia, Australia, Europe, North and South America.",
      "Into how many continents is the land of the world divided?",
    ],
    [
      "What is the longest river in the world?",
      "The Nile, with about 6,650 kilometres, is usually called the longest river.",
      "Is there any river longer than all the rest?",
    ],
    [
      "Who discovered penicillin?",
      "Alexander Fleming discovered penicillin in 1928, when mould killed bacteria on a plate.",
      "To whom do we owe the discovery of penicillin?",
    ],
    [
      "What does DNA stand for?",
      "DNA stands for deoxyribonucleic acid.",
      "Tell me the full name behind the letters DNA.",
    ],
    [
      "How fast does light travel?",
      "In a vacuum light travels 299,792,458 metres a second.",
      "What is the speed of light?",
    ],
    [
      "What is the tallest mountain on Earth?",
      "Mount Everest is the tallest above the sea, with 8,849 metres.",
      "Which mountain has the highest summit?",
    ],
    [
      "Who was the first person to walk on the Moon?",
      "Neil Armstrong was the first, on 20 July 1969.",
      "Which astronaut set foot on the lunar surface before anyone else?",
    ],
    [
      "What causes the tides?",
      "The pull of the Moon, and less that of the Sun, on the oceans causes the tides.",
      "Why does the sea rise and fall twice a day?",
    ],
    [
      "Why do leaves change colour in autumn?",
      "In autumn trees break down the green chlorophyll, and yellow and red pigments become visible.",
      "What makes trees turn yellow and red in the fall?",
    ],
    [
      "What is the currency of Japan?",
      "The currency of Japan is the yen.",
      "With what money do people pay in Japan?",
    ],
    [
      "How many players are on a football team?",
      "A football team has eleven players on the field, one of whom is the goalkeeper.",
      "How large is a soccer side during a match?",
    ],
    [
      "What is the smallest country in the world?",
      "Vatican City is the smallest country, with about 0.44 square kilometres.",
      "Which state has the least area?",
    ],
    [
      "How do vaccines work?",
      "A vaccine shows the immune system a harmless part of a germ, so that it knows the real one later.",
      "In what way does a vaccination protect you from a disease?",
    ],
    [
      "What is inflation in an economy?",
      "Inflation is a general rise of prices: the same money buys less than before.",
      "What do economists call it when prices keep rising?",
    ],
    [
      "Who invented the telephone?",
      "Alexander Graham Bell had the first patent for a telephone, in 1876.",
      "Whose invention was the telephone?",
    ],
    [
      "What is the hardest natural material?",
      "Diamond is the hardest natural material; it is a crystal of carbon.",
      "Which mineral can scratch every other one?",
    ],
    [
      "How long does the Earth take to go around the Sun?",
      "The Earth takes about 365.25 days, which is why we have leap years.",
      "What is the duration of one orbit of our planet around the Sun?",
    ],
    [
      "What do bees make honey from?",
      "Bees make honey from the nectar of flowers.",
      "Where does honey come from?",
    ],
    [
      "What is the main gas in the air?",
      "Air is 78 percent nitrogen and 21 percent oxygen.",
      "Of what does the atmosphere mostly consist?",
    ],
    [
      "Who was the first president of the United States?",
      "George Washington was the first president, from 1789 to 1797.",
      "Which man led the USA first as its president?",
    ],
    [
      "How does a rainbow form?",
      "Drops of rain bend sunlight and reflect it, each colour at its own angle.",
      "What has to happen for us to see a rainbow?",
    ],
    [
      "What language is spoken in Brazil?",
      "Most people in Brazil speak Portuguese.",
      "Which tongue do Brazilians use?",
    ],
    [
      "Which organ pumps blood through the body?",
      "The heart pumps blood through the body, about 100,000 beats a day.",
      "What part of us keeps the blood moving?",
    ],
    [
      "Why is the sea salty?",
      "Rivers wash salts out of rocks into the sea, and water leaves it as vapour while the salts stay.",
      "How did salt get into the oceans?",
    ],
    [
      "What is a leap year?",
      "A leap year has 366 days: 29 February is added in most years that four divides.",
      "Why do some years have a day more?",
    ],
    [
      "Who developed the theory of relativity?",
      "Albert Einstein developed it: the special theory in 1905, the general one in 1915.",
      "Which physicist came up with relativity?",
    ],
    [
      "What is the deepest part of the ocean?",
      "The Challenger Deep in the Mariana Trench is nearly 11,000 metres deep.",
      "Where is the sea bottom furthest below the surface?",
    ],
    [
      "How do birds find their way when they migrate?",
      "Birds use the Sun, the stars, landmarks and the Earth's magnetic field.",
      "By what means do migrating birds navigate?",
    ],
  ] as const
).map(known);

/** Questions that the model of `KNOWN_QUESTIONS` does not know: their rows make a second model, which nothing is tuned to. */
export const HELD_BACK_QUESTIONS: readonly KnownQuestion[] = (
  [
    [
      "What is an earthquake?",
      "An earthquake is a shaking of the ground when plates of the crust slip along a fault.",
      "Why does the ground sometimes shake?",
    ],
    [
      "What is the capital of Canada?",
      "The capital of Canada is Ottawa.",
      "From which city is Canada governed?",
    ],
    [
      "How many strings does a violin have?",
      "A violin has four strings, tuned to G, D, A and E.",
      "On a violin, what is the number of strings?",
    ],
    [
      "Who composed the Ninth Symphony with the Ode to Joy?",
      "Ludwig van Beethoven composed it; it was first played in Vienna in 1824.",
      "Which composer do we have to thank for the Ode to Joy?",
    ],
    ["What do pandas eat?", "Giant pandas eat almost nothing but bamboo.", "What is the diet of a panda?"],
    [
      "Why do we have seasons?",
      "The axis of the Earth is tilted, so each half gets more sun during one part of the year.",
      "What is the reason for summer and winter?",
    ],
    [
      "When did the Berlin Wall fall?",
      "The Berlin Wall fell on 9 November 1989.",
      "In which year was the wall through Berlin opened?",
    ],
    [
      "What is the freezing point of water?",
      "Water freezes at 0 degrees Celsius, 32 degrees Fahrenheit.",
      "How cold does it have to be for ice to form?",
    ],
    [
      "Which planet is known for its rings?",
      "Saturn is known for its bright rings of ice and rock.",
      "What planet has the most visible ring around it?",
    ],
    [
      "Who wrote Don Quixote?",
      "Miguel de Cervantes wrote Don Quixote; its first part came out in 1605.",
      "Name the author of the novel about Don Quixote.",
    ],
    [
      "What is the square root of 144?",
      "The square root of 144 is 12.",
      "Which number times itself gives 144?",
    ],
    [
      "What does a thermometer measure?",
      "A thermometer measures temperature.",
      "For what is a thermometer used?",
    ],
    [
      "How many legs does a spider have?",
      "Spiders have eight legs, insects six.",
      "Count the legs of a spider, please.",
    ],
    [
      "What is the largest desert in the world?",
      "Antarctica is the largest desert, and the Sahara the largest hot one.",
      "Which desert covers more land than any other?",
    ],
    [
      "Who was the first woman to win a Nobel Prize?",
      "Marie Curie won the Nobel Prize in Physics in 1903, and in Chemistry in 1911.",
      "Which female scientist was the earliest Nobel laureate?",
    ],
    [
      "What is a black hole?",
      "A black hole is a region whose gravity is so strong that not even light gets out.",
      "From what object in space can light never escape?",
    ],
    [
      "Why do cats purr?",
      "Cats purr when they are content, and sometimes to calm themselves when they are hurt.",
      "What does it mean if my cat is purring?",
    ],
    [
      "What is bread made of?",
      "Bread is made of flour, water, salt and usually yeast.",
      "Which ingredients does a baker need for a loaf of bread?",
    ],
    [
      "How does a magnet work?",
      "In a magnet the tiny fields of many electrons point the same way and add up.",
      "What makes magnets attract iron?",
    ],
    [
      "What is the official language of Egypt?",
      "The official language of Egypt is Arabic.",
      "What do Egyptians speak?",
    ],
  ] as const
).map(known);
