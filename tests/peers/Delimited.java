import com.google.protobuf.Timestamp;
import java.io.OutputStream;
import java.net.Socket;

/** Sends timestamps, each by writeDelimitedTo. */
public final class Delimited {
    public static void main(String[] words) throws Exception {
        try (Socket socket = new Socket(words[0], Integer.parseInt(words[1]))) {
            OutputStream stream = socket.getOutputStream();
            for (int i = 0; i < 3; i++) {
                Timestamp.newBuilder().setSeconds(1L << (i * 20)).setNanos(i).build().writeDelimitedTo(stream);
            }
        }
    }
}
