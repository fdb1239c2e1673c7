export type Locale = "nb" | "en";

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
  otherLanguage: "English",
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

const en: Record<keyof typeof nb, string> = {
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
  otherLanguage: "Norsk",
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

/** Every text of the pages, by language. */
export const texts: Record<Locale, Record<keyof typeof nb, string>> = { nb, en };
export type TextName = keyof typeof nb;

/** The language to show: by ui_locales, then by the browser; Norwegian for nn and se too, which have no texts here. */
export function pickLocale(uiLocales: readonly string[], acceptLanguage: string | null): Locale {
  const wished = [
    ...uiLocales,
    ...(acceptLanguage ?? "").split(",").map((part) => part.split(";", 1)[0] ?? ""),
  ];
  for (const wish of wished) {
    const language = wish.trim().toLowerCase().split("-", 1)[0];
    if (language === "en") return "en";
    if (language === "nb" || language === "nn" || language === "no" || language === "se") return "nb";
  }
  return "nb";
}
