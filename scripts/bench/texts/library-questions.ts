/**
 * Sixty facts of an invented town library, each also asked in other words, for `npm run bench -- models`: no base can know them, and
 * the rows share many words. Questions that are near a row, or far from all, are answered by none. All were written before any rule
 * was tried on them.
 */
import { type KnownQuestion, known } from "./known-questions.ts";

/** Rows of the model. */
export const LIBRARY_QUESTIONS: readonly KnownQuestion[] = (
  [
    [
      "When does the library of Eldmoor open on Saturdays?",
      "On Saturdays the library opens at 9:30.",
      "From what hour can I come in at the weekend?",
    ],
    [
      "When does the library close on weekdays?",
      "On weekdays the library closes at 19:00.",
      "How late may I stay from Monday to Friday?",
    ],
    [
      "How many books can I borrow at once?",
      "Adults borrow twelve books at once, children twenty.",
      "What is the limit of loans per person?",
    ],
    [
      "How long can I keep a book?",
      "A book is lent for four weeks.",
      "After how many days does a loan fall due?",
    ],
    [
      "How do I renew a loan?",
      "Renew a loan in your account or by telephone, twice at most.",
      "I need more time for my novel, what now?",
    ],
    [
      "What is the fine for a late book?",
      "A late book costs 20 pence a day, and 5 pounds at most.",
      "How much do I owe if I bring something back past its date?",
    ],
    [
      "What happens if I lose a book?",
      "Whoever loses a book pays its price and 3 pounds for the cover.",
      "My son dropped the atlas into the river, what are the consequences?",
    ],
    [
      "How do I get a library card?",
      "Bring a proof of address to the front desk; the card is free.",
      "What must I show to become a reader here?",
    ],
    [
      "Who is the head librarian?",
      "The head librarian is Moira Tennant.",
      "Which person runs the house of books?",
    ],
    [
      "Where is the children's corner?",
      "The children's corner is on the first floor, beside the glass stairs.",
      "In which place can toddlers look at picture stories?",
    ],
    [
      "When is story time?",
      "Story time is on Wednesdays at 15:00.",
      "On which afternoon is somebody reading aloud to kids?",
    ],
    [
      "Can I print in the library?",
      "Printing costs 10 pence a page at the machine by the lift.",
      "Is it possible to get a document on paper?",
    ],
    [
      "How do I log in to the wifi?",
      "Choose ELDMOOR-READ and type the number of your card.",
      "What do I enter to go online with my laptop?",
    ],
    [
      "Is there a quiet room?",
      "The quiet room is the former chapel; telephones stay outside.",
      "Where can I study undisturbed?",
    ],
    [
      "How do I book the piano room?",
      "Book the piano room at the front desk, one hour a day.",
      "I would like to practise scales, whom do I ask?",
    ],
    [
      "What does the piano room cost?",
      "The piano room costs 4 pounds an hour.",
      "Which price is charged for making music there?",
    ],
    [
      "Can I bring food into the reading hall?",
      "Food stays outside the reading hall; water in closed bottles is fine.",
      "May I eat a sandwich between the shelves?",
    ],
    [
      "Are dogs allowed in the library?",
      "Only assistance dogs come in.",
      "Does my spaniel have to wait at the door?",
    ],
    [
      "Where do I return books at night?",
      "Use the green hatch on Fuller Street at night.",
      "Everything is shut, how do I get rid of what I borrowed?",
    ],
    [
      "Which bus stops at the library?",
      "Bus 31 stops at the library.",
      "How do I reach you by public transport?",
    ],
    [
      "Is there parking for bicycles?",
      "Forty bicycles fit under the roof behind the building.",
      "Where can I lock my bike?",
    ],
    ["When was the library founded?", "The library was founded in 1887.", "How old is this institution?"],
    [
      "Who designed the reading hall?",
      "The reading hall was designed by Agnes Pell.",
      "Which architect drew the big room with the tables?",
    ],
    [
      "How many books does the library own?",
      "The library owns 86,000 books.",
      "What is the size of the collection?",
    ],
    [
      "Which languages does the library collect?",
      "The library collects English, Welsh, Polish and Urdu.",
      "Can I find something to read in a foreign tongue?",
    ],
    [
      "How do I suggest a purchase?",
      "Write the title on a yellow slip, or suggest it in the app.",
      "You do not have the thriller that I want, could you buy it?",
    ],
    [
      "What does an interlibrary loan cost?",
      "An interlibrary loan costs 2 pounds.",
      "How much is it to get a volume from another town?",
    ],
    [
      "How long does an interlibrary loan take?",
      "An interlibrary loan takes about ten days.",
      "When will what was ordered elsewhere be here?",
    ],
    [
      "Can I borrow board games?",
      "Board games are lent for two weeks, three at once.",
      "Do you have chess sets to take home?",
    ],
    [
      "Can I borrow tools?",
      "Drills, saws and ladders are lent for three days from the shed.",
      "I want to hang a shelf, is there a hammer to be had?",
    ],
    [
      "Who repairs damaged books?",
      "Books are repaired by the binder Tom Arkwright on Thursdays.",
      "A page came out of my copy, which craftsman glues it?",
    ],
    [
      "Where are the old newspapers?",
      "Old newspapers are on film in the basement.",
      "How can I see what the press wrote in 1920?",
    ],
    [
      "How do I search the archive?",
      "Search the archive by parish at archive.eldmoor.example.",
      "I am after the records of my ancestors, how do I begin?",
    ],
    [
      "Which rooms can clubs hire?",
      "Clubs hire the Oak Room and the Attic.",
      "Our society needs somewhere to meet, what can we have?",
    ],
    [
      "What does the Oak Room cost?",
      "The Oak Room costs 15 pounds an evening.",
      "For how much could our society meet downstairs?",
    ],
    [
      "How many people fit into the Attic?",
      "The Attic holds 35 people.",
      "What is the capacity under the roof?",
    ],
    ["Is there a lift?", "A lift goes to all floors but the Attic.", "Can I get upstairs in a wheelchair?"],
    [
      "Where is the toilet?",
      "The toilet is on the ground floor behind the map cabinet.",
      "I have to wash my hands, which way?",
    ],
    [
      "Is there a cafe in the library?",
      "The cafe Inkwell is in the yard, open from 10 to 16.",
      "Where do I get a cup of tea?",
    ],
    [
      "What is the cake of the week?",
      "The cake of the week is gooseberry on every Tuesday.",
      "Which pastry do they sell at the Inkwell?",
    ],
    [
      "Can I volunteer at the library?",
      "Volunteers write to Priya Shah, who trains them for two evenings.",
      "I am retired and would like to help, who is in charge?",
    ],
    [
      "How do I donate books?",
      "Donate books in the first week of a month, one box at most.",
      "I have too many novels at home, do you take them?",
    ],
    [
      "When is the book sale?",
      "The book sale is on the last Sunday of September.",
      "On which date can I buy discarded volumes cheaply?",
    ],
    [
      "What do books cost at the sale?",
      "At the sale a book costs 50 pence, a box 6 pounds.",
      "How much is a discarded novel?",
    ],
    [
      "Who pays for the library?",
      "The council pays two thirds, the Friends of Eldmoor one third.",
      "From where does the money for all this come?",
    ],
    [
      "How do I join the Friends of Eldmoor?",
      "Friends pay 18 pounds a year and sign at the desk.",
      "I want to support you each year, how do I become a sponsor?",
    ],
    [
      "What is the email of the library?",
      "Write to desk@eldmoor.example.",
      "To which address do I send a message?",
    ],
    [
      "What is the telephone number of the front desk?",
      "The front desk answers on 0555 3100.",
      "How do I ring you?",
    ],
    [
      "Can I borrow an e-reader?",
      "E-readers are lent for four weeks against a deposit of 30 pounds.",
      "Do you lend devices for digital novels?",
    ],
    [
      "How do I download audiobooks?",
      "Audiobooks are in the app Earful, five a month.",
      "Where can I get something to listen to on the train?",
    ],
    [
      "Are there courses for computers?",
      "A course for beginners at computers is every Monday at 10.",
      "Who teaches my grandmother how to use a mouse?",
    ],
    [
      "Which films are shown in winter?",
      "Silent films with a live organ are shown from November to February.",
      "What is on the screen in the cold months?",
    ],
    [
      "Who plays the organ at films?",
      "The organ is played by Celia Marsh.",
      "Which musician accompanies the silent pictures?",
    ],
    [
      "Is the library open on Christmas Eve?",
      "On Christmas Eve the library is open until noon.",
      "Can I come on the 24th of December?",
    ],
    [
      "From which age may children come alone?",
      "Children come alone from the age of eight.",
      "How old must my daughter be to stay without a parent?",
    ],
    [
      "How do I change my address?",
      "Change your address at the front desk with a letter as proof.",
      "I moved house, what do I have to do?",
    ],
    [
      "What do I do if I forget my PIN?",
      "Ask for a new PIN at the desk; it is your birthday until you change it.",
      "I cannot remember my secret number, help!",
    ],
    [
      "Where is the statue of the blue fox?",
      "The blue fox stands in the rose garden.",
      "In which spot can I photograph the famous animal sculpture?",
    ],
    [
      "What is the oldest book of the library?",
      "The oldest book is a herbal of 1551.",
      "Which volume has been printed earliest?",
    ],
    [
      "When can I see the herbal?",
      "The herbal is shown on the first Friday of a month.",
      "On what day is the treasure about plants on display?",
    ],
  ] as const
).map(known);

/** No row answers them: of each the word that matters is another one than in a row. */
export const NEAR_LIBRARY_QUESTIONS = [
  "When does the museum of Eldmoor open on Saturdays?",
  "When does the library close on Sundays?",
  "How many magazines can I borrow at once?",
  "How long can I keep a film?",
  "What is the fine for a torn book?",
  "Who is the deputy librarian?",
  "When is knitting time?",
  "Can I scan in the library?",
  "How do I book the drum room?",
  "What does the Attic cost?",
  "Are cats allowed in the library?",
  "Which tram stops at the library?",
  "Is there parking for lorries?",
  "When was the cafe founded?",
  "Who designed the rose garden?",
  "How many people fit into the Oak Room?",
  "Who repairs damaged chairs?",
  "When is the plant sale?",
  "Is the library open on Easter Monday?",
  "Where is the statue of the red bear?",
] as const;

/** Nothing near. */
export const FAR_LIBRARY_QUESTIONS = [
  "What is the boiling point of ethanol?",
  "Who won the World Cup in 1966?",
  "How do I knead dough?",
  "What is a black hole?",
  "Why do cats purr?",
  "How tall is the Eiffel Tower?",
  "What does a notary do?",
  "Sing me a song.",
  "Will the train be on time?",
  "How do I fix a puncture?",
] as const;
