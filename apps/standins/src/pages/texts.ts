export type Locale = "nb" | "nn" | "en" | "se";

const nb = {
  standIn: "Stand-in, ikke den ekte tjenesten",
  synthetic: "Alle personer her er oppdiktet. Skriv aldri inn et ekte fødselsnummer.",
  signInTo: "Logg inn for å fortsette til",
  whoAreYou: "Hvem vil du være?",
  edit: "Endre opplysninger",
  editing: "Endre opplysninger om",
  editHelp: "Opplysningene slik de kommer i token, som JSON.",
  claims: "Opplysninger",
  signInWith: "Logg inn slik",
  back: "Tilbake til valgene",
  other: "En annen",
  otherHelp: "For et syntetisk nummer fra Tenor, eller et navn.",
  pid: "Syntetisk fødselsnummer eller d-nummer",
  username: "Brukernavn",
  name: "Navn",
  level: "Nivå",
  substantial: "Betydelig",
  high: "Høyt",
  signIn: "Logg inn",
  cancel: "Avbryt innloggingen",
  problem: "Det gikk ikke",
  "problem.claims": "Opplysningene må være et JSON-objekt.",
  "problem.pid": "Nummeret må være syntetisk (måned + 80) og ha riktige kontrollsiffer.",
  "problem.username": "Skriv et brukernavn.",
  tooLow: "Når ikke nivået som kreves",
  noAccess: "Har ikke tilgang",
  signedOut: "Du er logget ut",
  signedOutBody: "Økten er avsluttet, og tjenestene som var med i den, har fått beskjed.",
  signOutQuestion: "Vil du logge ut?",
  signOutQuestionBody: "En tjeneste ber om at økten din avsluttes.",
  signOut: "Logg ut",
  staySignedIn: "Forbli innlogget",
  stillSignedIn: "Du er fortsatt innlogget",
  stillSignedInBody: "Ingenting er endret. Du kan lukke denne siden.",
  goOn: "Gå videre",
  errorTitle: "Forespørselen ble avvist",
  errorBody:
    "Dette er det tjenesten ville ha vist. Rett feilen i klienten eller i registreringen, og prøv igjen.",
  sending: "Sender deg tilbake",
  endpoints: "Endepunkter",
} as const;

type Texts = Record<keyof typeof nb, string>;

const en: Texts = {
  standIn: "Stand-in, not the real provider",
  synthetic: "Everyone here is made up. Never type a real national identity number.",
  signInTo: "Sign in to continue to",
  whoAreYou: "Who do you want to be?",
  edit: "Edit claims",
  editing: "Edit claims of",
  editHelp: "The claims as they will stand in tokens, as JSON.",
  claims: "Claims",
  signInWith: "Sign in like this",
  back: "Back to the choices",
  other: "Somebody else",
  otherHelp: "For a synthetic number from Tenor, or a name.",
  pid: "Synthetic national identity number or D-number",
  username: "User name",
  name: "Name",
  level: "Level",
  substantial: "Substantial",
  high: "High",
  signIn: "Sign in",
  cancel: "Cancel the sign-in",
  problem: "That did not work",
  "problem.claims": "The claims must be a JSON object.",
  "problem.pid": "The number must be synthetic (month + 80) and have the right check digits.",
  "problem.username": "Type a user name.",
  tooLow: "Does not reach the level that is asked for",
  noAccess: "Has no access",
  signedOut: "You are signed out",
  signedOutBody: "The session is over, and the services that were part of it have been told.",
  signOutQuestion: "Do you want to sign out?",
  signOutQuestionBody: "A service asks for your session to end.",
  signOut: "Sign out",
  staySignedIn: "Stay signed in",
  stillSignedIn: "You are still signed in",
  stillSignedInBody: "Nothing has changed. You can close this page.",
  goOn: "Continue",
  errorTitle: "The request was refused",
  errorBody:
    "This is what the provider would have shown. Mend the client or its registration, and try again.",
  sending: "Sending you back",
  endpoints: "Endpoints",
};

const nn: Texts = {
  standIn: "Stand-in, ikkje den ekte tenesta",
  synthetic: "Alle personar her er oppdikta. Skriv aldri inn eit ekte fødselsnummer.",
  signInTo: "Logg inn for å halde fram til",
  whoAreYou: "Kven vil du vere?",
  edit: "Endre opplysningar",
  editing: "Endre opplysningar om",
  editHelp: "Opplysningane slik dei kjem i token, som JSON.",
  claims: "Opplysningar",
  signInWith: "Logg inn slik",
  back: "Tilbake til vala",
  other: "Ein annan",
  otherHelp: "For eit syntetisk nummer frå Tenor, eller eit namn.",
  pid: "Syntetisk fødselsnummer eller d-nummer",
  username: "Brukarnamn",
  name: "Namn",
  level: "Nivå",
  substantial: "Monaleg",
  high: "Høgt",
  signIn: "Logg inn",
  cancel: "Avbryt innlogginga",
  problem: "Det gjekk ikkje",
  "problem.claims": "Opplysningane må vere eit JSON-objekt.",
  "problem.pid": "Nummeret må vere syntetisk (månad + 80) og ha rette kontrollsiffer.",
  "problem.username": "Skriv eit brukarnamn.",
  tooLow: "Når ikkje nivået som trengst",
  noAccess: "Har ikkje tilgang",
  signedOut: "Du er logga ut",
  signedOutBody: "Økta er avslutta, og tenestene som var med i henne, har fått beskjed.",
  signOutQuestion: "Vil du logge ut?",
  signOutQuestionBody: "Ei teneste ber om at økta di vert avslutta.",
  signOut: "Logg ut",
  staySignedIn: "Ver framleis innlogga",
  stillSignedIn: "Du er framleis innlogga",
  stillSignedInBody: "Ingenting er endra. Du kan lukke denne sida.",
  goOn: "Gå vidare",
  errorTitle: "Førespurnaden vart avvist",
  errorBody:
    "Dette er det tenesta ville ha vist. Rett feilen i klienten eller i registreringa, og prøv igjen.",
  sending: "Sender deg tilbake",
  endpoints: "Endepunkt",
};

/** Northern Sámi, in plain words; mend it where you know better. */
const se: Texts = {
  standIn: "Stand-in, ii leat duohta bálvalus",
  synthetic: "Buot olbmot dáppe leat hutkojuvvon. Ale goassege čále duohta riegádannummira.",
  signInTo: "Logge sisa vai beasat",
  whoAreYou: "Gii don áiggut leat?",
  edit: "Rievdat dieđuid",
  editing: "Rievdat dieđuid:",
  editHelp: "Dieđut nugo dat bohtet tokenii, JSON-hámis.",
  claims: "Dieđut",
  signInWith: "Logge sisa ná",
  back: "Ruovttoluotta válljemiidda",
  other: "Eará olmmoš",
  otherHelp: "Syntehtalaš nummir Tenoris, dahje namma.",
  pid: "Syntehtalaš riegádannummir dahje D-nummir",
  username: "Geavaheaddjinamma",
  name: "Namma",
  level: "Dássi",
  substantial: "Mearkkašahtti",
  high: "Alla",
  signIn: "Logge sisa",
  cancel: "Gaskkalduhte",
  problem: "Ii lihkostuvvan",
  "problem.claims": "Dieđut galget leat JSON-objeakta.",
  "problem.pid": "Nummir galgá leat syntehtalaš (mánnu + 80) ja das galget leat rievttes dárkkistanlogut.",
  "problem.username": "Čále geavaheaddjinama.",
  tooLow: "Ii joavdda dárbbašlaš dássái",
  noAccess: "Ii leat beassan",
  signedOut: "Don leat loggen olggos",
  signedOutBody: "Bargobadji lea loahpahuvvon, ja bálvalusat mat ledje mielde leat ožžon dieđu.",
  signOutQuestion: "Háliidatgo logget olggos?",
  signOutQuestionBody: "Bálvalus dáhttu loahpahit du bargobaji.",
  signOut: "Logge olggos",
  staySignedIn: "Bisán loggejuvvon",
  stillSignedIn: "Don leat ain loggejuvvon",
  stillSignedInBody: "Ii mihkkege leat rievdan. Don sáhtát giddet dán siiddu.",
  goOn: "Joatkke",
  errorTitle: "Jearaldat biehttaluvvui",
  errorBody:
    "Dán livččii bálvalus čájehan. Divo meattáhusa klienttas dahje registreremis, ja geahččal ođđasit.",
  sending: "Du sáddejuvvo ruovttoluotta",
  endpoints: "Loahppačuoggát",
};

/** Every text of the pages, by language. */
export const texts: Record<Locale, Texts> = { nb, nn, en, se };
export type TextName = keyof typeof nb;

/** What each language calls itself. */
export const languageNames: Record<Locale, string> = {
  nb: "Bokmål",
  nn: "Nynorsk",
  en: "English",
  se: "Davvisámegiella",
};

/** A locale that somebody sent, if the pages have it. */
export function asLocale(value: string | undefined): Locale | undefined {
  return value !== undefined && Object.hasOwn(texts, value) ? (value as Locale) : undefined;
}

/** The language to show: by ui_locales, then by the browser, of those that a stand-in has; nb for Norwegians of any kind. */
export function pickLocale(
  uiLocales: readonly string[],
  acceptLanguage: string | null,
  available: readonly Locale[] = ["nb", "en"],
): Locale {
  const wished = [
    ...uiLocales,
    ...(acceptLanguage ?? "").split(",").map((part) => part.split(";", 1)[0] ?? ""),
  ];
  for (const wish of wished) {
    const language = wish.trim().toLowerCase().split("-", 1)[0];
    const found = available.find((locale) => locale === language);
    if (found !== undefined) return found;
    if (language === "no" || language === "nn" || language === "se") return "nb";
  }
  return "nb";
}
