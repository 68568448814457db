// The same as scan.c from C#, with nothing but P/Invoke: a handle is an IntPtr, texts are UTF-8.
//
//   mono Scan.exe TARGET...

using System;
using System.Runtime.InteropServices;
using System.Text;

static class Native
{
    const string Library = "otcore";

    [DllImport(Library)] public static extern IntPtr otcore_last_error();
    [DllImport(Library)] public static extern int otcore_scanner_new(IntPtr settings, out IntPtr scanner);
    [DllImport(Library)] public static extern int otcore_scanner_free(IntPtr scanner);
    [DllImport(Library)] public static extern int otcore_scan_start(IntPtr scanner, byte[] targets, out IntPtr scan);
    [DllImport(Library)] public static extern int otcore_scan_next(IntPtr scan, uint timeoutMs, out IntPtr text);
    [DllImport(Library)] public static extern int otcore_scan_finish(IntPtr scan, uint timeoutMs, out IntPtr text);
    [DllImport(Library)] public static extern int otcore_scan_free(IntPtr scan);
    [DllImport(Library)] public static extern IntPtr otcore_text_str(IntPtr text);
    [DllImport(Library)] public static extern UIntPtr otcore_text_len(IntPtr text);
    [DllImport(Library)] public static extern int otcore_text_get(IntPtr text, byte[] pointer, out IntPtr value);
    [DllImport(Library)] public static extern int otcore_text_count(IntPtr text, byte[] pointer, out UIntPtr count);
    [DllImport(Library)] public static extern int otcore_text_free(IntPtr text);
}

static class Scan
{
    const int Ok = 0, Pending = 2001, End = 2002;
    const uint Forever = 0xFFFFFFFF;

    static byte[] Utf8(string text)
    {
        return Encoding.UTF8.GetBytes(text + "\0");
    }

    static string Text(IntPtr text)
    {
        var bytes = new byte[(int)Native.otcore_text_len(text)];
        if (bytes.Length > 0) Marshal.Copy(Native.otcore_text_str(text), bytes, 0, bytes.Length);
        return Encoding.UTF8.GetString(bytes);
    }

    static string Value(IntPtr text, string pointer)
    {
        IntPtr value;
        var known = Native.otcore_text_get(text, Utf8(pointer), out value) == Ok;
        var result = known ? Text(value) : "-";
        Native.otcore_text_free(value);
        return result;
    }

    static void Check(int status)
    {
        if (status != Ok)
            throw new Exception(Marshal.PtrToStringAnsi(Native.otcore_last_error()) + " (status " + status + ")");
    }

    static void Print(IntPtr text)
    {
        if (Value(text, "/event") == "asset")
            Console.WriteLine("{0}  {1}  {2}", Value(text, "/path"),
                Value(text, "/identity/vendor/value"), Value(text, "/identity/model/value"));
    }

    static void Events(IntPtr scan)
    {
        int status;
        IntPtr text;
        while ((status = Native.otcore_scan_next(scan, 100, out text)) != End)
        {
            if (status == Pending) continue;
            Check(status);
            Print(text);
            Native.otcore_text_free(text);
        }
    }

    static int Main(string[] targets)
    {
        IntPtr scanner = IntPtr.Zero, scan = IntPtr.Zero, report = IntPtr.Zero;
        try
        {
            Check(Native.otcore_scanner_new(IntPtr.Zero, out scanner));
            Check(Native.otcore_scan_start(scanner, Utf8(string.Join(" ", targets)), out scan));
            Events(scan);
            Check(Native.otcore_scan_finish(scan, Forever, out report));
            UIntPtr devices;
            Check(Native.otcore_text_count(report, Utf8("/assets"), out devices));
            Console.WriteLine("{0} devices", devices);
            return 0;
        }
        catch (Exception error)
        {
            Console.Error.WriteLine("Scan: " + error.Message);
            return 1;
        }
        finally
        {
            Native.otcore_text_free(report);
            Native.otcore_scan_free(scan);
            Native.otcore_scanner_free(scanner);
        }
    }
}
