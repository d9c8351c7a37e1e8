//! Rules and carried values against real sockets.

mod support;

use std::io::Write;
use std::net::TcpStream;

use support::Line::{self, *};
use support::playing::{replay_to, script, serve_to};
use support::{dial, half_close, read_exactly, read_to_end};
use wirespool::Format;
use wirespool::replay::{Compare, Options, Outcome, Receipt, Rules};
use wirespool::wire::{encode, json};

fn message(format: &str, value: &str) -> Vec<u8> {
    encode(&Format::parse(format).unwrap(), &json::parse(value).unwrap()).unwrap()
}

fn ruled(rules: Rules) -> Options {
    Options { rules, ..Options::default() }
}

fn play(
    format: &str,
    lines: &[Line<'_>],
    rules: Rules,
    peer: impl FnOnce(TcpStream) + Send + 'static,
) -> Receipt {
    replay_to(script(format, lines), ruled(rules), peer).0
}

fn ignoring(path: &str) -> Rules {
    Rules { ignore: vec![path.parse().unwrap()], ..Rules::default() }
}

fn carrying(carry: &str) -> Rules {
    Rules { carry: vec![carry.parse().unwrap()], ..Rules::default() }
}

#[test]
fn a_server_gets_its_own_token_back() {
    let format = "pickle/u16be";
    let [token, asks, yes, live, wanted] = [
        r#"{"token":"abc","n":1}"#,
        r#"{"token":"abc","ask":["a"]}"#,
        r#"{"ok":true}"#,
        r#"{"token":"a much longer and fresh one","n":1}"#,
        r#"{"token":"a much longer and fresh one","ask":["a"]}"#,
    ]
    .map(|value| message(format, value));
    let lines = [Server(&token), Client(&asks), Server(&yes), ClientCloses, ServerCloses];
    let answer = yes.clone();
    let checked = move |mut stream: TcpStream| {
        stream.write_all(&live).unwrap();
        assert_eq!(read_exactly(&mut stream, wanted.len()), wanted);
        stream.write_all(&answer).unwrap();
        read_to_end(&mut stream);
    };
    let receipt = play(format, &lines, carrying("server:$.token→client:$.token"), checked);
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    // The token itself is not compared, the rest of its message is.
    let one = &receipt.connections[0];
    assert_eq!((one.matched, one.ignored, one.differing), (2, 0, 0), "{receipt}");
}

#[test]
fn a_client_gets_its_own_number_back() {
    let lines = [
        Client(b"{\"id\":1,\"ask\":\"time\"}\n"),
        Server(b"{\"id\":1,\"time\": 12}\n"),
        ClientCloses,
        ServerCloses,
    ];
    let options = ruled(carrying("client:id->server:id"));
    let (receipt, heard) = serve_to(script("text/line", &lines), options, |address| {
        let mut stream = dial(address);
        stream.write_all(b"{\"id\":4711,\"ask\":\"time\"}\n").unwrap();
        half_close(&stream);
        read_to_end(&mut stream)
    });
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    assert_eq!(heard, b"{\"id\":4711,\"time\": 12}\n");
}

#[test]
fn a_carry_of_one_half_is_noted_with_the_half() {
    let lines = [Server(b"{\"id\":1}\n"), Client(b"{\"id\":1}\n"), ClientCloses, ServerCloses];
    for (carry, note) in [
        ("server:id->client:di", "--carry server:id→client:di: read 1 time, sent 0 times"),
        ("server:di->client:id", "--carry server:di→client:id applied to nothing"),
        ("server:id->client:id", ""),
    ] {
        let receipt = play("text/line", &lines, carrying(carry), |mut stream| {
            stream.write_all(b"{\"id\":1}\n").unwrap();
            read_to_end(&mut stream);
        });
        let notes: Vec<&str> = receipt.notes.iter().map(String::as_str).collect();
        assert_eq!(notes.concat(), note, "{receipt}");
    }
    let answers = [Client(b"hello"), Server(b"world"), ClientCloses, ServerCloses];
    let receipt = play("raw", &answers, carrying("server:$->client:$"), |mut stream| {
        read_exactly(&mut stream, 5);
        stream.write_all(b"earth").unwrap();
        read_to_end(&mut stream);
    });
    assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
    assert_eq!(receipt.connections[0].differing, 1, "{receipt}");
}

#[test]
fn what_cannot_be_carried_is_not_sent() {
    let challenge = message("pickle", r#"{"token":"abc"}"#);
    let live = message("pickle", r#"{"token":"new"}"#);
    // {"token": "abc", "o": collections.OrderedDict}
    let answer = b"\x80\x02}(X\x05\x00\x00\x00tokenX\x03\x00\x00\x00abcX\x01\x00\x00\x00occollections\nOrderedDict\nu.";
    let lines = [Server(&challenge), Client(answer), ClientCloses];
    let receipt =
        play("pickle", &lines, carrying("server:token->client:token"), move |mut stream| {
            stream.write_all(&live).unwrap();
            assert_eq!(read_to_end(&mut stream), b"");
        });
    assert_eq!(receipt.outcome, Outcome::Failed, "{receipt}");
    assert!(receipt.to_string().contains("objects cannot be encoded"), "{receipt}");
}

const EVENTS: [&str; 2] =
    [r#"{"device_id":1,"temp_cel":20.5}"#, r#"{"device_id":1,"temp_cel":20.75}"#];

#[test]
fn an_answer_that_is_over_by_silence_is_waited_for_no_longer_than_that() {
    let format = "protobuf:pb.TempEvent";
    let [recorded, live] = EVENTS.map(|event| message(format, event));
    let lines =
        [Client(&recorded), Server(&recorded), Client(&recorded), ClientCloses, ServerCloses];
    let tolerance = vec!["temp_cel=0.5".parse().unwrap()];
    let length = recorded.len();
    // What follows waits for the answer, which nothing but silence ends.
    let receipt =
        play(format, &lines, Rules { tolerance, ..Rules::default() }, move |mut stream| {
            read_exactly(&mut stream, length);
            stream.write_all(&live).unwrap();
            assert_eq!(read_exactly(&mut stream, length).len(), length);
            read_to_end(&mut stream);
        });
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
}

#[test]
fn what_is_not_compared_is_never_verified() {
    let lines = [Client(b"{\"a\":1}\n"), Server(b"{\"a\":1}\n"), ClientCloses, ServerCloses];
    for rules in
        [ignoring("$"), ignoring("a"), Rules { compare: Compare::None, ..Rules::default() }]
    {
        let receipt = play("text/line", &lines, rules, |mut stream| {
            let heard = read_exactly(&mut stream, 8);
            stream.write_all(&heard).unwrap();
            read_to_end(&mut stream);
        });
        assert_eq!(receipt.outcome, Outcome::Delivered, "{receipt}");
        assert_eq!((receipt.connections[0].arrived, receipt.connections[0].compared), (1, 0));
        assert!(!receipt.is_verified());
    }
}

#[test]
fn a_difference_is_shown_with_its_path() {
    let lines = [Client(b"{\"a\":1}\n"), Server(b"{\"a\":[1,2]}\n"), ClientCloses, ServerCloses];
    let receipt = play("text/line", &lines, ignoring("b"), |mut stream| {
        read_exactly(&mut stream, 8);
        stream.write_all(b"{\"a\":[1,3]}\n").unwrap();
        read_to_end(&mut stream);
    });
    let shown = receipt.to_string();
    assert!(shown.contains("message 1, offset 0, at $.a[1]: expected 2, got 3"), "{shown}");
    assert!(shown.contains("--ignore b applied to nothing"), "{shown}");
    assert_eq!(receipt.outcome, Outcome::Failed);
}

#[test]
fn a_message_that_is_nothing_but_a_carried_token_is_compared() {
    let lines = [
        Server(b"{\"token\":\"abc\"}\n"),
        Client(b"{\"token\":\"abc\"}\n"),
        Server(b"{\"ok\":true}\n"),
        ClientCloses,
    ];
    let peer = |mut stream: TcpStream| {
        stream.write_all(b"{\"token\":\"fresh\"}\n").unwrap();
        assert_eq!(read_exactly(&mut stream, 18), b"{\"token\":\"fresh\"}\n");
        stream.write_all(b"{\"ok\":true}\n").unwrap();
        read_to_end(&mut stream);
    };
    let receipt = play("text/line", &lines, carrying("server:$.token→client:$.token"), peer);
    assert_eq!(receipt.outcome, Outcome::Verified, "{receipt}");
    assert_eq!(receipt.connections[0].compared, 2);
}
